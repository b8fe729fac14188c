// Program peer is a server of hashicorp/raft that a test drives: it serves and calls with the NetworkTransport of that
// library, over classic TCP or over RMUX/1, or runs a whole node. One JSON object a line comes in on standard input;
// one line with the same id goes out for each on standard output, in the order in which they are done.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sync"
)

// A command is one line of standard input.
type command struct {
	ID int    `json:"id"`
	Do string `json:"do"`
	// The rest of the line is read by what does it.
	line []byte
}

func (c command) read(into interface{}) error { return json.Unmarshal(c.line, into) }

// An action does a command and gives what goes into the field "result" of its answer.
type action func(p *program, c command) (interface{}, error)

var actions = map[string]action{
	"listen":       (*program).listen,
	"behave":       (*program).behave,
	"call":         (*program).call,
	"pipeline":     (*program).pipeline,
	"snapshot":     (*program).snapshot,
	"release":      (*program).release,
	"stats":        (*program).stats,
	"closeStreams": (*program).closeStreams,
	"drain":        (*program).drain,
	"node":         (*program).node,
	"bootstrap":    (*program).bootstrap,
	"state":        (*program).state,
	"apply":        (*program).apply,
	"compact":      (*program).compact,
	"transfer":     (*program).transfer,
}

// A program has one transport, which "listen" makes, and at most one node on top of it, which "node" makes.
type program struct {
	transport *transport
	answerer  answerer
	running   *node
	released  chan struct{}

	output sync.Mutex
}

type answer struct {
	ID     int         `json:"id"`
	Result interface{} `json:"result,omitempty"`
	Error  string      `json:"error,omitempty"`
}

// A receipt goes out by itself, before the answer to what was received, if "listen" asked for it.
type receipt struct {
	Received appended `json:"received"`
}

// An appended is what tells one AppendEntries from another.
type appended struct {
	Term         uint64 `json:"term"`
	PrevLogEntry uint64 `json:"prevLogEntry"`
}

func (p *program) reply(a answer) {
	line, err := json.Marshal(a)
	if err != nil {
		line, _ = json.Marshal(answer{ID: a.ID, Error: err.Error()})
	}
	p.write(line)
}

func (p *program) report(received appended) {
	// Numbers can always be written.
	line, _ := json.Marshal(receipt{received})
	p.write(line)
}

func (p *program) write(line []byte) {
	p.output.Lock()
	defer p.output.Unlock()
	os.Stdout.Write(append(line, '\n'))
}

func (p *program) do(c command) {
	perform, isKnown := actions[c.Do]
	if !isKnown {
		p.reply(answer{ID: c.ID, Error: fmt.Sprintf("unknown command %q", c.Do)})
		return
	}
	result, err := perform(p, c)
	if err != nil {
		p.reply(answer{ID: c.ID, Error: err.Error()})
		return
	}
	p.reply(answer{ID: c.ID, Result: result})
}

func main() {
	p := &program{released: make(chan struct{})}
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<20)
	for input.Scan() {
		c := command{line: append([]byte(nil), input.Bytes()...)}
		if err := json.Unmarshal(c.line, &c); err != nil {
			p.reply(answer{Error: err.Error()})
			continue
		}
		// What makes the parts is done before the next line is read; calls run side by side.
		switch c.Do {
		case "listen", "node", "behave":
			p.do(c)
		default:
			go p.do(c)
		}
	}
	// Whoever drives it has closed the input, or has died.
}
