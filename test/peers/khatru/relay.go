// khatru with one of the stores of its author, in the given directory:
// "listening PORT", then it takes events from anybody.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/fiatjaf/eventstore/badger"
	"github.com/fiatjaf/khatru"
)

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, "relay:", err)
		os.Exit(1)
	}
	return value
}

func main() {
	store := &badger.BadgerBackend{Path: os.Args[1]}
	must(0, store.Init())
	relay := khatru.NewRelay()
	relay.Info.Name = "khatru"
	relay.Negentropy = true
	relay.StoreEvent = append(relay.StoreEvent, store.SaveEvent)
	relay.QueryEvents = append(relay.QueryEvents, store.QueryEvents)
	relay.CountEvents = append(relay.CountEvents, store.CountEvents)
	relay.DeleteEvent = append(relay.DeleteEvent, store.DeleteEvent)
	relay.ReplaceEvent = append(relay.ReplaceEvent, store.ReplaceEvent)
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	fmt.Printf("listening %d\n", listener.Addr().(*net.TCPAddr).Port)
	must(0, http.Serve(listener, relay))
}
