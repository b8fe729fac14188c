// Command bench-peers does the work of `raft-mux bench` with transports that are written in Go.
//
//	bench-peers serve SYSTEM HOST
//	bench-peers call SYSTEM ADDRESS
//
// Both speak JSON on standard input and output, one object a line, and end with their input. A server says first
// where it listens. Whoever is asked for its `usage` says what it has used since it began; a client that is told to
// `measure` a workload answers with a sample. Which systems there are depends on the libraries it is built with (tags
// raft, yamux and smux).
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"syscall"
)

// A system moves messages from one process to another.
type system interface {
	// serve answers at a free port of a host until the process ends.
	serve(host string) (address string, err error)
	// call connects to a server.
	call(address string) (client, error)
}

type client interface {
	measure(w workload) (sample, error)
	// wireBytes counts what the sockets have carried in both directions.
	wireBytes() uint64
}

// systems is filled by the files that are built in.
var systems = map[string]system{}

type order struct {
	Order    string   `json:"order"`
	Workload workload `json:"workload"`
}

type workload struct {
	Kind       string `json:"kind"`
	Callers    int    `json:"callers"`
	Entries    int    `json:"entries"`
	EntryBytes int    `json:"entryBytes"`
	Depth      int    `json:"depth"`
	// Streams is how many pipelines there are at once; 0 is one.
	Streams    int    `json:"streams"`
	File       string `json:"file"`
	IsInMemory bool   `json:"isInMemory"`
	// SnapshotLimit cuts snapshots to so many bytes; 0 sends them whole.
	SnapshotLimit int     `json:"snapshotLimit"`
	Seconds       float64 `json:"seconds"`

	// Load is what goes on beside calls whose latency is the question: idle, snapshot or busy.
	Load          string  `json:"load"`
	Askers        int     `json:"askers"`
	Rate          float64 `json:"rate"`
	LeastCalls    int     `json:"leastCalls"`
	LeadInSeconds float64 `json:"leadInSeconds"`
}

type sample struct {
	Operations   int      `json:"operations"`
	PayloadBytes int      `json:"payloadBytes"`
	Seconds      float64  `json:"seconds"`
	Latency      *latency `json:"latency,omitempty"`
	Load         *load    `json:"load,omitempty"`
	Timeline     []moment `json:"timeline,omitempty"`
}

// latency is in microseconds.
type latency struct {
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	// Curve is at each of curvePercentiles.
	Curve []float64 `json:"curve"`
}

// A moment is an interval's latencies.
type moment struct {
	Seconds float64 `json:"seconds"`
	// Mean and Worst are in microseconds.
	Mean  float64 `json:"mean"`
	Worst float64 `json:"worst"`
	// SnapshotBytes is what the other side has read of snapshots in all.
	SnapshotBytes uint64 `json:"snapshotBytes"`
}

type load struct {
	RequestsPerSecond      float64 `json:"requestsPerSecond"`
	SnapshotBytesPerSecond float64 `json:"snapshotBytesPerSecond"`
}

type usage struct {
	CPUSeconds float64 `json:"cpuSeconds"`
	WireBytes  uint64  `json:"wireBytes"`
}

type failure struct {
	Failure string `json:"failure"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		say(failure{err.Error()})
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) != 3 {
		return fmt.Errorf("usage: bench-peers serve SYSTEM HOST | call SYSTEM ADDRESS")
	}
	chosen, known := systems[arguments[1]]
	if !known {
		return fmt.Errorf("no system %q is built in", arguments[1])
	}
	switch arguments[0] {
	case "serve":
		address, err := chosen.serve(arguments[2])
		if err != nil {
			return err
		}
		say(struct {
			Address string `json:"address"`
		}{address})
		return obey(nil)
	case "call":
		caller, err := chosen.call(arguments[2])
		if err != nil {
			return err
		}
		return obey(caller)
	}
	return fmt.Errorf("there is nothing to do for %q", arguments)
}

// obey carries out orders until the input ends; a server has no client.
func obey(caller client) error {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var next order
		if err := json.Unmarshal(lines.Bytes(), &next); err != nil {
			return err
		}
		switch {
		case next.Order == "usage":
			used := usage{CPUSeconds: processorSeconds()}
			if caller != nil {
				used.WireBytes = caller.wireBytes()
			}
			say(used)
		case next.Order == "measure" && caller != nil:
			if result, err := caller.measure(next.Workload); err != nil {
				say(failure{err.Error()})
			} else {
				say(result)
			}
		default:
			say(failure{"unknown order " + next.Order})
		}
	}
	return lines.Err()
}

func say(value interface{}) {
	line, err := json.Marshal(value)
	if err != nil {
		panic(err) // our own types can always be written
	}
	fmt.Println(string(line))
}

// processorSeconds is the time of all threads, user and system.
func processorSeconds() float64 {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(used.Utime) + seconds(used.Stime)
}
