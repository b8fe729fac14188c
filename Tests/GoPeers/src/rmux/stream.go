package rmux

import (
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// How many bytes a stream keeps that were written and not yet sent.
const mostQueued = 256 << 10

type sendingState int

const (
	sendingUnopened sendingState = iota
	sendingReady
	sendingFinished
	sendingReset
)

func (s sendingState) isOver() bool { return s == sendingFinished || s == sendingReset }

type receivingState int

const (
	receivingOpen receivingState = iota
	receivingStopping
	receivingFinished
	receivingReset
	receivingRejected
)

func (r receivingState) isOver() bool { return r >= receivingFinished }

// A Stream is a net.Conn on a connection that it shares. Its class is chosen by the first byte that is written.
type Stream struct {
	conn *Conn
	// id is 0 until the frame with OPEN is sent.
	id       uint64
	isOwn    bool
	class    Class
	encoding byte
	// isRefused says that its opening was answered by RESET and STOP.
	isRefused bool
	// isClosed says that its user has let go of it.
	isClosed bool

	sending sendingState
	// queue holds what was written; fin says that nothing will follow it.
	queue  []byte
	hasFin bool
	// sent counts stream bytes, of which the peer takes limit in all.
	sent, limit uint64
	// isDemoted says that it was too large for an election.
	isDemoted bool
	isReady   bool
	stoppedBy error

	receiving receivingState
	// arrived has been received and not read.
	arrived                       []byte
	received, consumed, announced uint64
	// limits are those that were announced and not passed yet; there are at most five, each a quarter of a window on.
	limits []uint64
	// isGranting says that CREDIT is about to be sent.
	isGranting bool
	// failure is what a reader gets behind the last byte.
	failure error

	readDeadline, writeDeadline deadline
	// hasGivenUp says that a deadline has ended a read or a write.
	hasGivenUp bool
}

// newStream makes a stream of the peer, or, without an id, an own one.
func (c *Conn) newStream(id uint64) *Stream {
	window := uint64(c.own.initialWindow)
	s := &Stream{
		conn: c, id: id, isOwn: id == 0, limit: uint64(c.peer.initialWindow), announced: window, limits: []uint64{window},
	}
	if !s.isOwn {
		s.sending = sendingReady
	}
	return s
}

// Reading

// Read gives bytes in order; io.EOF behind FIN only.
func (s *Stream) Read(into []byte) (int, error) {
	s.conn.mutex.Lock()
	defer s.conn.mutex.Unlock()
	for len(s.arrived) == 0 {
		switch {
		case s.isClosed:
			return 0, net.ErrClosed
		case s.receiving == receivingFinished:
			return 0, io.EOF
		case s.failure != nil:
			return 0, s.failure
		case s.conn.err != nil:
			return 0, s.conn.err
		case s.readDeadline.hasPassed():
			s.hasGivenUp = true
			return 0, os.ErrDeadlineExceeded
		}
		s.readDeadline.wait(s.conn)
	}
	count := copy(into, s.arrived)
	s.arrived = s.arrived[count:]
	if len(s.arrived) == 0 {
		s.arrived = nil
	}
	s.consume(count)
	return count, nil
}

// consume counts bytes that have left, and grants credit once it is a quarter of the window (R-FLW-6).
func (s *Stream) consume(count int) {
	s.consumed += uint64(count)
	window := uint64(s.conn.own.initialWindow)
	if limit := s.consumed + window; s.receiving == receivingOpen && limit >= s.announced+window/4 {
		s.announced = limit
		s.limits = append(s.limits, limit)
		s.conn.output.grant(s)
		s.conn.wake.Broadcast()
	}
}

func (s *Stream) receiveData(payload []byte, isFin, hasMore bool, now time.Time) error {
	if s.receiving.isOver() {
		return faultf(StreamState, "DATA for stream %d, whose half has ended", s.id)
	}
	s.received += uint64(len(payload))
	if s.received > s.announced {
		return faultf(FlowControl, "stream %d: %d of %d bytes", s.id, s.received, s.announced)
	}
	if hasMore && len(payload) > 0 && len(payload) < 64 && !s.endsAtLimit() {
		if err := s.conn.budgets.tinyData.take(now); err != nil {
			return err
		}
	}
	if s.receiving == receivingOpen {
		s.arrived = append(s.arrived, payload...)
		if isFin {
			s.endReceiving(receivingFinished, nil)
		}
	} else if isFin {
		s.endReceiving(receivingFinished, nil)
	}
	s.conn.changed.Broadcast()
	return nil
}

// endsAtLimit says whether the half's bytes end at a limit that was announced, the newest or an earlier one (R-LIM-6).
func (s *Stream) endsAtLimit() bool {
	for len(s.limits) > 0 && s.limits[0] < s.received {
		s.limits = s.limits[1:]
	}
	return len(s.limits) > 0 && s.limits[0] == s.received
}

func (s *Stream) endReceiving(state receivingState, failure error) {
	s.receiving = state
	s.failure = failure
	s.conn.changed.Broadcast()
	s.conn.forget(s)
}

// stop asks the peer to end its half.
func (s *Stream) stop(code Code) {
	if s.receiving != receivingOpen {
		return
	}
	s.receiving = receivingStopping
	s.arrived = nil
	s.conn.queueControl(header{kind: typeStop, stream: s.id}, codeBytes(code))
}

// Writing

// Write queues bytes, and waits while too many are queued.
func (s *Stream) Write(from []byte) (int, error) {
	c := s.conn
	c.mutex.Lock()
	defer c.mutex.Unlock()
	written := 0
	if s.sending == sendingUnopened {
		if err := c.usable(); err != nil {
			return 0, err
		}
		if s.class == 0 && len(from) > 0 {
			s.class = classFor(from)
		}
	}
	for len(from) > 0 {
		switch {
		case s.isAnsweredEarly():
			// Whoever writes will look for the answer next (R-SNAP-19); the rest of the request goes nowhere.
			return written + len(from), nil
		case s.stoppedBy != nil:
			return written, s.stoppedBy
		case c.err != nil:
			return written, c.err
		case s.isClosed || s.sending.isOver():
			return written, net.ErrClosed
		case s.writeDeadline.hasPassed():
			s.hasGivenUp = true
			return written, os.ErrDeadlineExceeded
		}
		if len(s.queue) >= mostQueued {
			s.writeDeadline.wait(c)
			continue
		}
		count := mostQueued - len(s.queue)
		if count > len(from) {
			count = len(from)
		}
		s.queue = append(s.queue, from[:count]...)
		s.isDemoted = s.isDemoted || len(s.queue) > electionMessage // for good (R-SCH-11)
		written += count
		from = from[count:]
		c.output.ready(s)
		c.wake.Broadcast()
	}
	return written, nil
}

// isAnsweredEarly says that the peer needs no more of the request, because it has answered.
func (s *Stream) isAnsweredEarly() bool {
	fault, isOne := s.stoppedBy.(*Error)
	return isOne && fault.Code == NotNeeded && s.conn.err == nil
}

// finishSending ends the own half behind what was queued; one that was never used vanishes.
func (s *Stream) finishSending() {
	if s.sending == sendingUnopened && len(s.queue) == 0 {
		s.sending = sendingFinished
		s.receiving = receivingFinished
		return
	}
	if !s.sending.isOver() {
		s.hasFin = true
		s.conn.output.ready(s)
		s.conn.wake.Broadcast()
	}
}

// reset ends the own half at once; what was queued is dropped (R-STR-15, R-SCH-6).
func (s *Stream) reset(code Code) {
	switch s.sending {
	case sendingUnopened:
		// The peer has heard nothing of it and never will (R-STR-24).
		s.receiving = receivingFinished
	case sendingReady:
		s.conn.queueControl(header{kind: typeReset, stream: s.id}, codeBytes(code))
	default:
		return
	}
	s.sending = sendingReset
	s.queue = nil
	s.conn.changed.Broadcast()
	s.conn.forget(s)
}

// fail ends both halves without a frame, because the connection has ended or the peer never took the stream.
func (s *Stream) fail(err error) {
	if !s.sending.isOver() {
		s.sending = sendingReset
		s.stoppedBy = err
	}
	s.queue = nil
	if !s.receiving.isOver() {
		s.receiving = receivingRejected
		s.failure = err
	}
}

// Close lets go of the stream, as the close of a connection would: what was written still goes out, behind it FIN.
// What the peer has not ended yet it is asked to end at once where somebody had given up waiting for it (a deadline
// has passed), or where there is something that nobody will read; else it gets a moment to end by itself.
func (s *Stream) Close() error {
	c := s.conn
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if s.isClosed {
		return nil
	}
	s.isClosed = true
	if s.hasGivenUp {
		s.reset(DeadlineExceeded)
		s.stop(DeadlineExceeded)
	} else {
		s.finishSending()
		if len(s.arrived) > 0 || !s.isOwn {
			s.stop(Cancelled)
		} else if s.receiving == receivingOpen {
			time.AfterFunc(patience, s.losePatience)
		}
	}
	if s.id != 0 {
		c.forget(s)
	}
	c.changed.Broadcast()
	return nil
}

// patience is how long a peer may take to end its half behind ours.
const patience = time.Second

func (s *Stream) losePatience() {
	s.conn.mutex.Lock()
	defer s.conn.mutex.Unlock()
	if s.id != 0 && s.conn.err == nil && s.receiving == receivingOpen {
		s.conn.impatience.Add(1)
		s.stop(Cancelled)
		s.conn.wake.Broadcast()
	}
}

func (s *Stream) LocalAddr() net.Addr  { return s.conn.socket.LocalAddr() }
func (s *Stream) RemoteAddr() net.Addr { return s.conn.socket.RemoteAddr() }

func (s *Stream) SetDeadline(t time.Time) error {
	s.SetReadDeadline(t)
	return s.SetWriteDeadline(t)
}

func (s *Stream) SetReadDeadline(t time.Time) error {
	s.conn.mutex.Lock()
	defer s.conn.mutex.Unlock()
	s.readDeadline.at = t
	s.conn.changed.Broadcast()
	return nil
}

func (s *Stream) SetWriteDeadline(t time.Time) error {
	s.conn.mutex.Lock()
	defer s.conn.mutex.Unlock()
	s.writeDeadline.at = t
	s.conn.changed.Broadcast()
	return nil
}

// A deadline bounds a wait; the zero time does not.
type deadline struct{ at time.Time }

func (d deadline) hasPassed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

// wait waits for any change of the connection, or the deadline.
func (d deadline) wait(c *Conn) {
	if d.at.IsZero() {
		c.changed.Wait()
		return
	}
	timer := time.AfterFunc(time.Until(d.at), func() {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		c.changed.Broadcast()
	})
	c.changed.Wait()
	timer.Stop()
}

// classFor chooses the class by what travels first: the type byte of a request (payloads.md), and for a heartbeat, that
// is an AppendEntries request without entries, their name with nil behind it.
func classFor(bytes []byte) Class {
	switch bytes[0] {
	case 0:
		if len(bytes) < 256 && strings.Contains(string(bytes), "\xA7Entries\xC0") {
			return Election
		}
		return Append
	case 1, 3, 4:
		return Election
	case 2:
		return Snapshot
	}
	return Append
}
