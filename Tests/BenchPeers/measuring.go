package main

import (
	"os"
	"sort"
	"sync/atomic"
	"time"
)

// A stopwatch times one measurement.
type stopwatch struct {
	start, end time.Time
}

func newStopwatch(seconds float64) stopwatch {
	start := time.Now()
	return stopwatch{start, start.Add(time.Duration(seconds * float64(time.Second)))}
}

func (s stopwatch) isRunning() bool  { return time.Now().Before(s.end) }
func (s stopwatch) seconds() float64 { return time.Since(s.start).Seconds() }

// timeCalls makes one call after the other and says how long they took.
func timeCalls(seconds float64, call func() error) (sample, error) {
	watch := newStopwatch(seconds)
	var times []time.Duration
	for watch.isRunning() {
		start := time.Now()
		if err := call(); err != nil {
			return sample{}, err
		}
		times = append(times, time.Since(start))
	}
	elapsed := watch.seconds()
	if len(times) == 0 {
		return sample{Seconds: elapsed}, nil
	}
	sort.Slice(times, func(i, j int) bool { return times[i] < times[j] })
	at := func(share float64) float64 {
		return float64(times[int(share*float64(len(times)-1)+0.5)].Nanoseconds()) / 1e3
	}
	return sample{
		Operations: len(times), Seconds: elapsed,
		Latency: &latency{P50: at(0.5), P99: at(0.99), P999: at(0.999)},
	}, nil
}

// A snapshot is what a file holds, and the checksum that must come back.
type snapshot struct {
	path  string
	bytes []byte
	sum   uint64
}

// lastSnapshot keeps the file of the last workload, so that reading it is part of no measurement but the warm-up.
var lastSnapshot *snapshot

func loadSnapshot(path string) (*snapshot, error) {
	if lastSnapshot != nil && lastSnapshot.path == path {
		return lastSnapshot, nil
	}
	bytes, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var sum wordSum
	sum.update(bytes)
	lastSnapshot = &snapshot{path, bytes, sum.value()}
	return lastSnapshot, nil
}

// A tally is a count that several goroutines look at.
type tally struct{ count uint64 }

func (t *tally) add(more int)  { atomic.AddUint64(&t.count, uint64(more)) }
func (t *tally) value() uint64 { return atomic.LoadUint64(&t.count) }
