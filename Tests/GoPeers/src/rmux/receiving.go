package rmux

import (
	"encoding/binary"
	"time"
)

// The frames of streams, as streams.md and flow-control.md have them. All of it runs under the connection's lock.

func (c *Conn) receiveData(h header, payload []byte) error {
	now := time.Now()
	isOpening := h.flags&flagOpen != 0
	if isOpening {
		if h.stream != c.nextPeer {
			return faultf(ProtocolViolation, "stream %d opened instead of %d", h.stream, c.nextPeer)
		}
		c.nextPeer += 2
		group := binary.BigEndian.Uint64(payload)
		payload = payload[groupSize:]
		if err := c.receiveOpening(h, group, now); err != nil {
			return err
		}
	}
	isFin := h.flags&flagFin != 0
	if !isOpening && !isFin && len(payload) == 0 {
		if err := c.budgets.emptyData.take(now); err != nil {
			return err
		}
	}
	stream := c.streams[h.stream]
	if stream == nil {
		if !c.wasOpened(h.stream) {
			return faultf(ProtocolViolation, "DATA for stream %d, which was never opened", h.stream)
		}
		return faultf(StreamState, "DATA for stream %d, which has ended", h.stream)
	}
	return stream.receiveData(payload, isFin, h.flags&flagMore != 0 && !isFin, now)
}

// receiveOpening makes the peer's stream, or one that stands for its refusal.
func (c *Conn) receiveOpening(h header, group uint64, now time.Time) error {
	class := Class(h.class)
	if class.isKnown() {
		taken := &c.taken[class]
		taken.opened++
		if taken.opened > taken.announced {
			return faultf(StreamLimit, "%d streams of class %d", taken.opened, class)
		}
	}
	code := None
	switch {
	case h.stream > c.leaving.ownLast:
		code = Refused
	case !class.isKnown():
		code = UnknownClass
	case h.encoding > encodingChunked || h.encoding == encodingChunked && class != Snapshot:
		code = UnknownEncoding
	case group != 0:
		code = UnknownGroup
	}
	stream := c.newStream(h.stream)
	stream.class = class
	stream.encoding = h.encoding
	c.streams[h.stream] = stream
	if code == None {
		c.accept(stream)
		return nil
	}
	if err := c.budgets.provokedResets.take(now); err != nil {
		return err
	}
	c.refusedStreams++
	if c.refusedStreams > mostRefusedStreams {
		return faultf(ExcessiveLoad, "refusedStreams")
	}
	stream.isRefused = true
	stream.isClosed = true
	stream.reset(code)
	stream.stop(code)
	return nil
}

// wasOpened says whether an id was ever in use.
func (c *Conn) wasOpened(id uint64) bool {
	if id%2 == c.nextOwn%2 {
		return id < c.nextOwn
	}
	return id < c.nextPeer
}

// find gives a stream for a frame that may come late; nil without an error for one that has ended.
func (c *Conn) find(id uint64, kind string) (*Stream, error) {
	stream := c.streams[id]
	if stream != nil {
		return stream, nil
	}
	if !c.wasOpened(id) {
		return nil, faultf(ProtocolViolation, "%s for stream %d, which was never opened", kind, id)
	}
	return nil, c.budgets.lateFrames.take(time.Now())
}

func (c *Conn) receiveCredit(id, limit uint64) error {
	stream, err := c.find(id, "CREDIT")
	if stream == nil {
		return err
	}
	if stream.sending != sendingReady || limit <= stream.limit {
		return c.budgets.lateFrames.take(time.Now())
	}
	stream.limit = limit
	c.output.ready(stream)
	c.wake.Broadcast()
	return nil
}

func (c *Conn) receiveReset(id uint64, code Code) error {
	if id%2 == c.nextPeer%2 && c.wasOpened(id) {
		if err := c.budgets.resets.take(time.Now()); err != nil {
			return err
		}
	}
	stream, err := c.find(id, "RESET")
	if stream == nil {
		return err
	}
	switch stream.receiving {
	case receivingReset:
		return faultf(StreamState, "RESET for stream %d, which was reset", id)
	case receivingFinished:
		return c.budgets.lateFrames.take(time.Now())
	}
	stream.endReceiving(receivingReset, &Error{Code: streamCode(code), IsRemote: true})
	return nil
}

func (c *Conn) receiveStop(id uint64, code Code) error {
	stream, err := c.find(id, "STOP")
	if stream == nil {
		return err
	}
	if stream.sending != sendingReady {
		return c.budgets.lateFrames.take(time.Now())
	}
	stream.stoppedBy = &Error{Code: streamCode(code), IsRemote: true}
	if code == None {
		// The answer has the same code, but never this one (R-ERR-4, R-ERR-5).
		code = Cancelled
	}
	stream.reset(code)
	return nil
}

// streamCode is what a code in RESET or STOP counts as (R-ERR-2, R-ERR-5).
func streamCode(code Code) Code {
	if _, isKnown := codeNames[code]; !isKnown || code == None {
		return Cancelled
	}
	return code
}

func (c *Conn) receiveStreams(class Class, total uint64) error {
	if total <= c.allowed[class] {
		return c.budgets.idleStreams.take(time.Now())
	}
	c.allowed[class] = total
	c.wake.Broadcast()
	return nil
}

// forget lets go of a stream whose halves have ended and whose user has closed it.
func (c *Conn) forget(s *Stream) {
	if !s.isClosed || !s.sending.isOver() || !s.receiving.isOver() || c.streams[s.id] != s {
		return
	}
	delete(c.streams, s.id)
	if s.isRefused {
		c.refusedStreams--
	}
	if !s.isOwn && s.class.isKnown() {
		taken := &c.taken[s.class]
		taken.freed++
		initial := uint64(c.own.streams[s.class])
		total := initial + taken.freed
		if quarter := initial / 4; total >= taken.announced+quarter && total > taken.announced {
			taken.announced = total
			c.output.announce[s.class] = true
			c.wake.Broadcast()
		}
	}
	c.changed.Broadcast()
	// It may have been the last one of a drain.
	c.wake.Broadcast()
}
