package rmux

import "time"

// A budget is a token bucket for frames that are legal and change nothing (limits.md).
type budget struct {
	name      string
	burst     float64
	perSecond float64
	tokens    float64
	filled    time.Time
}

// take gives an error when the bucket is empty.
func (b *budget) take(now time.Time) error {
	if b.filled.IsZero() {
		b.tokens = b.burst
	} else {
		b.tokens += now.Sub(b.filled).Seconds() * b.perSecond
		if b.tokens > b.burst {
			b.tokens = b.burst
		}
	}
	b.filled = now
	if b.tokens < 1 {
		return faultf(ExcessiveLoad, "%s", b.name)
	}
	b.tokens--
	return nil
}

type budgets struct {
	pings, ignorableFrames, emptyData, tinyData, lateFrames, resets, provokedResets, idleStreams budget
}

func newBudgets() budgets {
	return budgets{
		pings:           budget{name: "pings", burst: 32, perSecond: 16},
		ignorableFrames: budget{name: "ignorableFrames", burst: 64, perSecond: 16},
		emptyData:       budget{name: "emptyData", burst: 64, perSecond: 16},
		tinyData:        budget{name: "tinyData", burst: 1024, perSecond: 256},
		lateFrames:      budget{name: "lateFrames", burst: 1024, perSecond: 512},
		resets:          budget{name: "resets", burst: 1024, perSecond: 512},
		provokedResets:  budget{name: "provokedResets", burst: 1024, perSecond: 512},
		idleStreams:     budget{name: "idleStreams", burst: 64, perSecond: 16},
	}
}
