// go-nostr's negentropy behind the lines of drive.c.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/nbd-wtf/go-nostr"
	"github.com/nbd-wtf/go-nostr/nip77/negentropy"
	"github.com/nbd-wtf/go-nostr/nip77/negentropy/storage/vector"
)

type peer struct {
	storage *vector.Vector
	session *negentropy.Negentropy
	client  bool
	frame   int
	readers sync.WaitGroup
	lock    sync.Mutex
	found   []string
	out     *bufio.Writer
}

// The session sends what it finds to two channels until it is done.
func (p *peer) collect(word string, ids chan string) {
	p.readers.Add(1)
	go func() {
		defer p.readers.Done()
		for id := range ids {
			p.lock.Lock()
			p.found = append(p.found, word+" "+id)
			p.lock.Unlock()
		}
	}()
}

func (p *peer) message(text string) error {
	next, err := p.session.Reconcile(text)
	if err != nil {
		return err
	}
	if next != "" {
		fmt.Fprintln(p.out, "msg", next)
		return nil
	}
	p.readers.Wait()
	for _, line := range p.found {
		fmt.Fprintln(p.out, line)
	}
	fmt.Fprintln(p.out, "done")
	return nil
}

func (p *peer) line(words []string) (err error) {
	switch words[0] {
	case "start":
		p.storage = vector.New()
		p.client = words[1] == "client"
		p.found = nil
		p.frame, err = strconv.Atoi(words[2])
	case "item":
		var timestamp int64
		timestamp, err = strconv.ParseInt(words[1], 10, 64)
		p.storage.Insert(nostr.Timestamp(timestamp), words[2])
	case "seal":
		p.storage.Seal()
		p.session = negentropy.New(p.storage, p.frame)
		if p.client {
			p.collect("have", p.session.Haves)
			p.collect("need", p.session.HaveNots)
			fmt.Fprintln(p.out, "msg", p.session.Start())
		}
	case "msg":
		err = p.message(words[1])
	default:
		err = fmt.Errorf("what?")
	}
	return err
}

func main() {
	p := peer{out: bufio.NewWriter(os.Stdout)}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		if err := p.line(strings.Split(in.Text(), " ")); err != nil {
			fmt.Fprintln(p.out, "error", err)
		}
		p.out.Flush()
	}
}
