package rmux

import (
	"encoding/binary"
	"net"
	"time"
)

const (
	// How much is put into one write: what lies in it can be overtaken by nothing.
	bulkBatch = 32 << 10
	// The largest frame of bulk while others have something to send (R-SCH-7).
	bulkFrame = 16 << 10
	// Turns of append and snapshot streams (R-SCH-3).
	appendWeight   = 8
	snapshotWeight = 1
	// What makes an election stream an election stream (R-SCH-10, R-SCH-11).
	electionMessage = 16 << 10
	electionBurst   = 64 << 10
	electionRate    = 256 << 10
)

// output is what waits to be sent, and the choice of what goes next (scheduling.md).
type output struct {
	control  []controlFrame
	pongs    [][]byte
	grants   []*Stream
	announce [classes]bool
	// farewell is the last frame.
	farewell *goAway
	// isOver says that nothing will follow what was cut.
	isOver bool

	queues [classes][]*Stream
	// turns are the bytes that append and snapshot streams may still send in this round.
	turns          [classes]int
	electionTokens float64
	electionFilled time.Time
}

type controlFrame struct {
	header
	payload []byte
}

func (c *Conn) queueControl(h header, payload []byte) {
	if len(c.output.control) >= mostControlFrames {
		c.endLocked(faultf(ExcessiveLoad, "maximumControlFrames"))
		return
	}
	c.output.control = append(c.output.control, controlFrame{h, payload})
	c.wake.Broadcast()
}

func (c *Conn) queuePing() {
	number := c.liveness.nextPing(time.Now())
	c.queueControl(header{kind: typePing}, binary.BigEndian.AppendUint64(nil, number))
}

// ready puts a stream among those of its class that may have something to send.
func (o *output) ready(s *Stream) {
	if s.isReady {
		return
	}
	s.isReady = true
	class := s.class
	if class == Election && s.isDemoted {
		class = Append
	}
	o.queues[class] = append(o.queues[class], s)
}

func (o *output) grant(s *Stream) {
	if !s.isGranting {
		s.isGranting = true
		o.grants = append(o.grants, s)
	}
}

func (c *Conn) writeFrames() {
	var batch []byte
	for {
		c.mutex.Lock()
		batch = c.fill(batch[:0])
		for len(batch) == 0 && !c.output.isOver {
			c.wake.Wait()
			batch = c.fill(batch)
		}
		isOver := c.output.isOver
		c.mutex.Unlock()
		if err := c.write(batch); err != nil {
			c.end(err)
			break
		}
		if isOver {
			break
		}
	}
	if half, isOne := c.socket.(interface{ CloseWrite() error }); isOne {
		half.CloseWrite()
	}
	// After a drain the peer's end of input is still to come.
	c.mutex.Lock()
	for c.err == nil {
		c.changed.Wait()
	}
	c.mutex.Unlock()
	finish(c.socket)
}

// write takes as long as the peer takes bytes; none for the time of R-LIV-6 is the end.
func (c *Conn) write(batch []byte) error {
	for len(batch) > 0 {
		c.mutex.Lock()
		limit := c.liveness.limit()
		c.mutex.Unlock()
		c.socket.SetWriteDeadline(time.Now().Add(limit))
		count, err := c.socket.Write(batch)
		batch = batch[count:]
		if timeout, isNet := err.(net.Error); isNet && timeout.Timeout() {
			if count == 0 {
				return faultf(Silent, "no byte was taken for %v", limit)
			}
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fill cuts frames into a batch in the order of scheduling.md; it gives nothing when there is nothing to send.
func (c *Conn) fill(batch []byte) []byte {
	batch = c.fillControl(batch)
	if c.err != nil {
		if c.output.farewell != nil {
			batch = c.appendFrame(batch, header{kind: typeGoAway}, c.output.farewell.payload())
		}
		c.output.isOver = true
		return batch
	}
	now := time.Now()
	for c.refillElections(now) {
		var isCut bool
		if batch, isCut = c.cutNext(batch, Election); !isCut {
			break
		}
	}
	for len(batch) < bulkBatch {
		var isCut bool
		if batch, isCut = c.cutBulk(batch); !isCut {
			break
		}
	}
	if len(batch) == 0 && c.hasLeft() {
		c.output.isOver = true
	}
	return batch
}

func (c *Conn) appendFrame(batch []byte, h header, payload []byte) []byte {
	return appendFrame(batch, h, payload, c.hasChecksum())
}

func (c *Conn) fillControl(batch []byte) []byte {
	o := &c.output
	for _, frame := range o.control {
		batch = c.appendFrame(batch, frame.header, frame.payload)
	}
	o.control = o.control[:0]
	for _, pong := range o.pongs {
		batch = c.appendFrame(batch, header{kind: typePong}, pong)
	}
	o.pongs = o.pongs[:0]
	for _, s := range o.grants {
		s.isGranting = false
		if s.receiving == receivingOpen && c.err == nil {
			limit := binary.BigEndian.AppendUint64(nil, s.announced)
			batch = c.appendFrame(batch, header{kind: typeCredit, stream: s.id}, limit)
		}
	}
	o.grants = o.grants[:0]
	for class := range o.announce {
		if o.announce[class] {
			o.announce[class] = false
			total := binary.BigEndian.AppendUint64(nil, c.taken[class].announced)
			batch = c.appendFrame(batch, header{kind: typeStreams, class: byte(class)}, total)
		}
	}
	return batch
}

// refillElections says whether the class of elections has its priority.
func (c *Conn) refillElections(now time.Time) bool {
	o := &c.output
	if o.electionFilled.IsZero() {
		o.electionTokens = electionBurst
	} else {
		o.electionTokens += now.Sub(o.electionFilled).Seconds() * electionRate
		if o.electionTokens > electionBurst {
			o.electionTokens = electionBurst
		}
	}
	o.electionFilled = now
	return o.electionTokens > 0
}

// cutBulk serves appends and snapshots 8 to 1, and elections beside the appends where they have lost their priority.
func (c *Conn) cutBulk(batch []byte) ([]byte, bool) {
	o := &c.output
	for round := 0; round < 2; round++ {
		for class := Append; class <= Snapshot; class++ {
			if o.turns[class] <= 0 {
				continue
			}
			before := len(batch)
			var isCut bool
			if class == Append {
				if batch, isCut = c.cutNext(batch, Election); isCut {
					o.turns[class] -= len(batch) - before
					return batch, true
				}
			}
			if batch, isCut = c.cutNext(batch, class); isCut {
				o.turns[class] -= len(batch) - before
				return batch, true
			}
			o.turns[class] = 0
		}
		o.turns[Append] = appendWeight * bulkFrame
		o.turns[Snapshot] = snapshotWeight * bulkFrame
	}
	return batch, false
}

// cutNext cuts a frame of the next stream of a queue that can send one, and puts that stream behind the others.
func (c *Conn) cutNext(batch []byte, class Class) ([]byte, bool) {
	queue := c.output.queues[class]
	defer func() { c.output.queues[class] = queue }()
	for tries := len(queue); tries > 0; tries-- {
		s := queue[0]
		queue = queue[1:]
		if s.sending == sendingUnopened && c.opened[s.class] >= c.allowed[s.class] && len(s.queue) > 0 {
			// It waits for stream credit, and delays nobody.
			queue = append(queue, s)
			continue
		}
		h, payload, isCut := s.cut(class != Election && c.output.hasOthers())
		if !isCut {
			s.isReady = false
			continue
		}
		batch = c.appendFrame(batch, h, payload)
		if s.class == Election {
			c.output.electionTokens -= float64(len(payload))
		}
		if s.sending == sendingReady && (len(s.queue) > 0 || s.hasFin) {
			queue = append(queue, s)
		} else {
			s.isReady = false
		}
		c.changed.Broadcast()
		c.forget(s)
		return batch, true
	}
	return batch, false
}

func (o *output) hasOthers() bool {
	return len(o.queues[Election])+len(o.queues[Append])+len(o.queues[Snapshot]) > 0
}

// cut takes the next frame of a stream, or says that there is none for now.
func (s *Stream) cut(isShared bool) (header, []byte, bool) {
	c := s.conn
	if s.sending.isOver() {
		return header{}, nil, false
	}
	h := header{kind: typeData}
	most := int(c.peer.maximumPayload)
	if isShared && most > bulkFrame {
		most = bulkFrame
	}
	var payload []byte
	if s.sending == sendingUnopened {
		h.flags |= flagOpen
		h.class = byte(s.class)
		payload = make([]byte, groupSize)
		most -= groupSize
	}
	count := len(s.queue)
	if room := s.limit - s.sent; uint64(count) > room {
		count = int(room)
	}
	if count > most {
		count = most
	}
	isLast := s.hasFin && count == len(s.queue)
	if count == 0 && !isLast {
		return header{}, nil, false
	}
	if s.sending == sendingUnopened {
		s.id = c.nextOwn
		c.nextOwn += 2
		c.opened[s.class]++
		c.streams[s.id] = s
		s.sending = sendingReady
	}
	h.stream = s.id
	payload = append(payload, s.queue[:count]...)
	s.queue = s.queue[count:]
	s.sent += uint64(count)
	switch {
	case isLast:
		h.flags |= flagFin
		s.sending = sendingFinished
	case len(s.queue) > 0:
		h.flags |= flagMore
	}
	if len(s.queue) == 0 {
		s.queue = nil
	}
	return h, payload, true
}

func codeBytes(code Code) []byte { return binary.BigEndian.AppendUint32(nil, uint32(code)) }
