package rmux

import (
	"encoding/binary"
	"time"
)

// The last id of the first GOAWAY of a drain.
const allIDs = ^uint64(0)

const (
	drainPause = 50 * time.Millisecond
	drainTime  = 10 * time.Second
)

// leaving is how far the two sides have said goodbye (drain.md).
type leaving struct {
	// hasSaid and hasHeard: a GOAWAY was sent, was received.
	hasSaid, hasHeard bool
	// ownLast and peerLast are the last ids that were sent and received.
	ownLast, peerLast uint64
	hasSaidLast       bool
	// ping is what is asked behind the first GOAWAY.
	ping  uint64
	heard int
}

type goAway struct {
	last uint64
	code Code
	text string
}

func (g goAway) payload() []byte {
	text := shortened(g.text)
	b := binary.BigEndian.AppendUint64(nil, g.last)
	b = binary.BigEndian.AppendUint32(b, uint32(g.code))
	b = binary.BigEndian.AppendUint16(b, uint16(len(text)))
	return append(b, text...)
}

func parseGoAway(b []byte) (goAway, error) {
	text, rest, isWhole := takeSized(b[12:])
	if !isWhole || len(rest) > 0 || len(text) > largestText {
		return goAway{}, faultf(FrameSize, "a GOAWAY of %d bytes", len(b))
	}
	return goAway{binary.BigEndian.Uint64(b), Code(binary.BigEndian.Uint32(b[8:])), string(text)}, nil
}

// drain leaves in order, and returns when the connection has ended.
func (c *Conn) drain() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if !c.leaving.hasSaid && c.err == nil {
		c.leaving.hasSaid = true
		c.queueControl(header{kind: typeGoAway}, goAway{last: allIDs, code: Shutdown}.payload())
		c.dropUnopened(faultf(Shutdown, "this side is leaving"))
		c.queuePing()
		c.leaving.ping = c.liveness.number
		pause := drainPause
		if c.liveness.smoothed > pause {
			pause = c.liveness.smoothed
		}
		time.AfterFunc(pause, func() {
			c.mutex.Lock()
			defer c.mutex.Unlock()
			c.sayLastID()
		})
		time.AfterFunc(drainTime, func() { c.end(faultf(Shutdown, "the drain took too long")) })
	}
	for c.err == nil {
		c.changed.Wait()
	}
}

// sayLastID sends the second GOAWAY of a drain, once.
func (c *Conn) sayLastID() {
	if c.err != nil || !c.leaving.hasSaid || c.leaving.hasSaidLast {
		return
	}
	c.leaving.ownLast = c.lastTaken()
	c.leaving.hasSaidLast = true
	c.queueControl(header{kind: typeGoAway}, goAway{last: c.leaving.ownLast, code: Shutdown}.payload())
}

// hasLeft says that it is time for the half-close of a drain, of either side (R-DRN-10, R-DRN-23).
func (c *Conn) hasLeft() bool {
	hasLast := c.leaving.hasSaidLast || c.leaving.hasHeard && c.leaving.peerLast != allIDs
	if !hasLast {
		return false
	}
	for id := range c.streams {
		if id%2 == c.nextOwn%2 || id <= c.leaving.ownLast {
			return false
		}
	}
	return true
}

func (c *Conn) receiveGoAway(payload []byte) error {
	said, err := parseGoAway(payload)
	if err != nil {
		return err
	}
	last, code := said.last, said.code
	c.leaving.heard++
	if c.leaving.heard > 2 {
		if err := c.budgets.lateFrames.take(time.Now()); err != nil {
			return err
		}
	}
	if last > c.leaving.peerLast {
		return faultf(ProtocolViolation, "the last id %d behind %d", last, c.leaving.peerLast)
	}
	c.leaving.hasHeard = true
	c.leaving.peerLast = last
	reason := &Error{Code: code, Text: said.text, IsRemote: true}
	if _, isKnown := codeNames[code]; !isKnown {
		reason.Code = InternalError
	}
	c.dropUnopened(reason)
	for id, stream := range c.streams {
		if stream.isOwn && id > last {
			stream.fail(reason)
			c.forget(stream)
		}
	}
	c.changed.Broadcast()
	c.wake.Broadcast()
	if code != Shutdown && code != None {
		return reason
	}
	return nil
}

// dropUnopened ends the own streams of which the peer has heard nothing.
func (c *Conn) dropUnopened(err error) {
	for class := range c.output.queues {
		for _, stream := range c.output.queues[class] {
			if stream.sending == sendingUnopened {
				stream.fail(err)
			}
		}
	}
}
