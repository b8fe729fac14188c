package main

import (
	"sort"
	"sync"
	"time"
)

var curvePercentiles = []float64{0, 10, 25, 50, 75, 90, 95, 98, 99, 99.5, 99.8, 99.9, 99.95, 99.98, 99.99, 100}

// A question is a small call; it says how many bytes of snapshots the other side has read.
type question func() (snapshotBytes uint64, err error)

// A reply is what became of one call.
type reply struct {
	// start is when it began, counted from the beginning.
	start, took   time.Duration
	snapshotBytes uint64
}

// A schedule says when each of several askers makes its next call.
//
// At a rate, calls fall due at even distances. A call that comes late because the askers wait for answers counts from
// the moment when it was due, so that a pause is seen at its whole length and not only by the call that met it.
type schedule struct {
	start time.Time
	work  workload
	calls tally
}

// next waits until the next call is due and gives the moment from which it counts.
func (s *schedule) next() (time.Time, bool) {
	number := int(s.calls.next())
	now := time.Now()
	due := now
	if s.work.Rate > 0 {
		due = s.start.Add(time.Duration(float64(number) / s.work.Rate * float64(time.Second)))
	}
	end := s.start.Add(time.Duration(s.work.Seconds * float64(time.Second)))
	if !due.Before(end) && number >= s.work.LeastCalls {
		return now, false
	}
	if !due.After(now) {
		return due, true
	}
	time.Sleep(due.Sub(now))
	return time.Now(), true
}

// timeCalls asks as the workload says and tells how long the answers took.
func timeCalls(w workload, ask question) (sample, error) {
	plan := &schedule{start: time.Now(), work: w}
	replies := make([][]reply, w.Askers)
	failures := make(chan error, w.Askers)
	var askers sync.WaitGroup
	for i := 0; i < w.Askers; i++ {
		askers.Add(1)
		go func(own *[]reply) {
			defer askers.Done()
			for start, goesOn := plan.next(); goesOn; start, goesOn = plan.next() {
				bytes, err := ask()
				if err != nil {
					failures <- err
					return
				}
				*own = append(*own, reply{start.Sub(plan.start), time.Since(start), bytes})
			}
		}(&replies[i])
	}
	askers.Wait()
	elapsed := time.Since(plan.start).Seconds()
	select {
	case err := <-failures:
		return sample{}, err
	default:
	}
	var all []reply
	for _, some := range replies {
		all = append(all, some...)
	}
	result := sample{Operations: len(all), Seconds: elapsed}
	if len(all) > 0 {
		result.Load = &load{SnapshotBytesPerSecond: snapshotRate(all)}
		result.Timeline = timeline(all, w.Seconds)
		result.Latency = latencyOf(all)
	}
	return result, nil
}

// snapshotRate is what the other side read of snapshots from the first answer to the last.
func snapshotRate(replies []reply) float64 {
	answered := func(r reply) time.Duration { return r.start + r.took }
	first, last := replies[0], replies[0]
	for _, r := range replies {
		if answered(r) < answered(first) {
			first = r
		}
		if answered(r) > answered(last) {
			last = r
		}
	}
	seconds := (answered(last) - answered(first)).Seconds()
	if seconds <= 0 || last.snapshotBytes < first.snapshotBytes {
		return 0
	}
	return float64(last.snapshotBytes-first.snapshotBytes) / seconds
}

func latencyOf(replies []reply) *latency {
	sort.Slice(replies, func(i, j int) bool { return replies[i].took < replies[j].took })
	at := func(percentile float64) float64 {
		return float64(replies[int(percentile/100*float64(len(replies)-1)+0.5)].took.Nanoseconds()) / 1e3
	}
	result := &latency{P50: at(50), P99: at(99), P999: at(99.9)}
	for _, percentile := range curvePercentiles {
		result.Curve = append(result.Curve, at(percentile))
	}
	return result
}

// timeline puts the replies of each interval together: a hundredth of the time, at least 10 ms.
func timeline(replies []reply, seconds float64) []moment {
	interval := seconds / 100
	if interval < 0.01 {
		interval = 0.01
	}
	sort.Slice(replies, func(i, j int) bool { return replies[i].start < replies[j].start })
	var moments []moment
	count := 0
	for _, r := range replies {
		number := float64(int(r.start.Seconds() / interval))
		if len(moments) == 0 || moments[len(moments)-1].Seconds != number*interval {
			moments = append(moments, moment{Seconds: number * interval})
			count = 0
		}
		last := &moments[len(moments)-1]
		micros := float64(r.took.Nanoseconds()) / 1e3
		last.Mean = (last.Mean*float64(count) + micros) / float64(count+1)
		count++
		if micros > last.Worst {
			last.Worst = micros
		}
		if r.snapshotBytes > last.SnapshotBytes {
			last.SnapshotBytes = r.snapshotBytes
		}
	}
	return moments
}
