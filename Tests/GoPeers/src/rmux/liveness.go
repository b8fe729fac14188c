package rmux

import (
	"io"
	"math/rand"
	"time"
)

const (
	silenceBeforePing   = time.Second
	measurementInterval = 5 * time.Second
	deadAfter           = 5 * time.Second
	deadRoundTrips      = 8
	longestPatience     = 60 * time.Second
	watchInterval       = 100 * time.Millisecond
)

// liveness knows when the peer was heard, and how long an answer takes (liveness.md).
type liveness struct {
	lastHeard, lastMeasured time.Time
	// hasPinged says that this silence has had its PING; silence is how long the next one may be.
	hasPinged bool
	silence   time.Duration
	// asked has the PINGs without an answer; at most a few.
	asked    map[uint64]time.Time
	number   uint64
	smoothed time.Duration
}

func (l *liveness) start() {
	now := time.Now()
	*l = liveness{lastHeard: now, lastMeasured: now, asked: map[uint64]time.Time{}, number: uint64(rand.Uint32())}
	l.silence = jittered(silenceBeforePing)
}

func jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}

func (l *liveness) heard(now time.Time) {
	l.lastHeard = now
	l.hasPinged = false
}

// limit is how long nothing may be heard.
func (l *liveness) limit() time.Duration {
	limit := deadRoundTrips * l.smoothed
	if limit > longestPatience {
		limit = longestPatience
	}
	if limit < deadAfter {
		return deadAfter
	}
	return limit
}

func (l *liveness) nextPing(now time.Time) uint64 {
	l.number++
	l.asked[l.number] = now
	return l.number
}

// isPingDue says whether it is time for a PING.
func (l *liveness) isPingDue(now time.Time) bool {
	if l.hasPinged {
		return false
	}
	isDue := now.Sub(l.lastHeard) > l.silence || now.Sub(l.lastMeasured) > measurementInterval && len(l.asked) == 0
	if isDue {
		l.hasPinged = true
		l.silence = jittered(silenceBeforePing)
	}
	return isDue
}

// answered takes a PONG; false if it answers nothing.
func (l *liveness) answered(number uint64, now time.Time) bool {
	asked, isOwn := l.asked[number]
	if !isOwn {
		return false
	}
	// One PONG settles the PINGs before it, which may stay without an answer of their own (R-LIV-2).
	for other := range l.asked {
		if other <= number {
			delete(l.asked, other)
		}
	}
	sample := now.Sub(asked)
	if l.smoothed == 0 {
		l.smoothed = sample
	} else {
		l.smoothed += (sample - l.smoothed) / 8
	}
	l.lastMeasured = now
	return true
}

func (c *Conn) receivePing(payload []byte) error {
	if err := c.budgets.pings.take(time.Now()); err != nil {
		return err
	}
	pongs := append(c.output.pongs, append([]byte(nil), payload...))
	if len(pongs) > mostPongs {
		pongs = pongs[1:]
	}
	c.output.pongs = pongs
	c.wake.Broadcast()
	return nil
}

func (c *Conn) receivePong(number uint64) error {
	if !c.liveness.answered(number, time.Now()) {
		return c.budgets.lateFrames.take(time.Now())
	}
	if number >= c.leaving.ping && c.leaving.ping != 0 {
		c.sayLastID()
	}
	c.changed.Broadcast()
	return nil
}

// watch looks at the clock until the connection has ended.
func (c *Conn) watch() {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for range ticker.C {
		c.mutex.Lock()
		now := time.Now()
		if limit := c.liveness.limit(); c.err == nil && now.Sub(c.liveness.lastHeard) > limit {
			c.endLocked(faultf(Silent, "nothing was heard for %v", limit))
		}
		if c.err == nil && c.liveness.isPingDue(now) {
			c.queuePing()
		}
		hasEnded := c.err != nil
		c.mutex.Unlock()
		if hasEnded {
			return
		}
	}
}

// probe asks the peer for a sign of life, and ends the connection if there is none in time (R-PAIR-7, R-PAIR-8).
func (c *Conn) probe() (isAlive bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.err != nil {
		return false
	}
	number := c.liveness.number + 1
	c.queuePing()
	patience := 4 * c.liveness.smoothed
	if patience < time.Second {
		patience = time.Second
	}
	if patience > 3*time.Second {
		patience = 3 * time.Second
	}
	end := deadline{time.Now().Add(patience)}
	for c.err == nil {
		if _, isWaiting := c.liveness.asked[number]; !isWaiting {
			return true
		}
		if end.hasPassed() {
			c.endLocked(faultf(Displaced, "no answer to a probe"))
			return false
		}
		end.wait(c)
	}
	return false
}

// isSilent says whether nothing has come for a second.
func (c *Conn) isSilent() bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return time.Since(c.liveness.lastHeard) > time.Second
}

// endOfInput makes an error of what reading has ended with.
func (c *Conn) endOfInput(err error) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if err != io.EOF {
		return err
	}
	if len(c.streams) == 0 && (c.leaving.hasHeard || c.leaving.hasSaid) {
		return &Error{Code: Shutdown, Text: "left in order", IsRemote: true}
	}
	return &Error{Code: InternalError, Text: "the connection has ended without a word", IsRemote: true}
}
