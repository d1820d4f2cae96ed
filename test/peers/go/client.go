// go-nostr as a client; see test/peers/README.md for what it says.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/nbd-wtf/go-nostr"
	"github.com/nbd-wtf/go-nostr/nip19"
)

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		os.Exit(1)
	}
	return value
}

func check(line []byte) string {
	var event nostr.Event
	if err := json.Unmarshal(line, &event); err != nil || !event.CheckID() {
		return "invalid"
	}
	if ok, err := event.CheckSignature(); err != nil || !ok {
		return "invalid"
	}
	relays := []string{"wss://relay.example.org"}
	return strings.Join([]string{
		"valid",
		must(nip19.EncodePublicKey(event.PubKey)),
		must(nip19.EncodeNote(event.ID)),
		must(nip19.EncodeEvent(event.ID, relays, event.PubKey)),
		must(nip19.EncodeProfile(event.PubKey, relays)),
		must(nip19.EncodeEntity(event.PubKey, 30023, "a b", relays)),
	}, " ")
}

var key = nostr.GeneratePrivateKey()
var made = 0

func make_(line []byte) string {
	var content string
	must(0, json.Unmarshal(line, &content))
	event := nostr.Event{
		Kind:      made,
		CreatedAt: nostr.Timestamp(1700000000 + made),
		Tags:      nostr.Tags{{"t", content}, {"longer name", "", strconv.Itoa(made)}},
		Content:   content,
	}
	made++
	must(0, event.Sign(key))
	return event.String()
}

func main() {
	answer := map[string]func([]byte) string{"check": check, "make": make_}[os.Args[1]]
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		fmt.Println(answer(in.Bytes()))
	}
	must(0, in.Err())
}
