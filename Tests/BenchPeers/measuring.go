package main

import (
	"os"
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

// A snapshot is what a file holds, and the checksum that must come back.
type snapshot struct {
	path string
	// whole says that nothing was cut off, so that the file itself can be sent.
	whole bool
	bytes []byte
	sum   uint64
}

// lastSnapshot keeps the file of the last workload, so that reading it is part of no measurement but the warm-up.
var lastSnapshot *snapshot

func loadSnapshot(w workload) (*snapshot, error) {
	if lastSnapshot == nil || lastSnapshot.path != w.File {
		bytes, err := os.ReadFile(w.File)
		if err != nil {
			return nil, err
		}
		lastSnapshot = newSnapshot(w.File, true, bytes)
	}
	if w.SnapshotLimit > 0 && w.SnapshotLimit < len(lastSnapshot.bytes) {
		return newSnapshot(w.File, false, lastSnapshot.bytes[:w.SnapshotLimit]), nil
	}
	return lastSnapshot, nil
}

func newSnapshot(path string, whole bool, bytes []byte) *snapshot {
	var sum wordSum
	sum.update(bytes)
	return &snapshot{path, whole, bytes, sum.value()}
}

// A tally is a count that several goroutines look at.
type tally struct{ count uint64 }

func (t *tally) add(more int)  { atomic.AddUint64(&t.count, uint64(more)) }
func (t *tally) next() uint64  { return atomic.AddUint64(&t.count, 1) - 1 }
func (t *tally) value() uint64 { return atomic.LoadUint64(&t.count) }
