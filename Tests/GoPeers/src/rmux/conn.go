package rmux

import (
	"encoding/binary"
	"math/rand"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Largest number of control frames, and of refused streams that have not ended, that are kept for a peer.
const (
	mostControlFrames  = 4096
	mostRefusedStreams = 4096
	mostPongs          = 8
)

// A Conn is one RMUX/1 connection behind its handshake. One goroutine reads, one writes; everything else happens in
// the calls of its users. One lock guards all of it.
type Conn struct {
	socket net.Conn
	greeting
	// accept gets each stream that the peer opens.
	accept func(*Stream)
	// onEnd is called once, without the lock.
	onEnd func(*Conn)
	// impatience counts the streams that the peer has not ended behind our end.
	impatience *atomic.Int64

	mutex sync.Mutex
	// wake tells the writer, changed everybody who waits for a stream or for the end.
	wake, changed sync.Cond
	streams       map[uint64]*Stream
	// The ids that the next streams will have.
	nextOwn, nextPeer uint64
	output            output
	opened, allowed   [classes]uint64
	taken             [classes]takenStreams
	refusedStreams    int
	budgets           budgets
	liveness          liveness
	leaving           leaving
	// err is why the connection has ended; nil while it lives.
	err error
}

// takenStreams counts the streams of a class that the peer has opened.
type takenStreams struct {
	opened, announced, freed uint64
}

func newConn(
	socket net.Conn, g greeting, accept func(*Stream), onEnd func(*Conn), impatience *atomic.Int64,
) *Conn {
	c := &Conn{
		socket: socket, greeting: g, accept: accept, onEnd: onEnd, impatience: impatience, streams: map[uint64]*Stream{},
		nextOwn: 2, nextPeer: 1, budgets: newBudgets(),
	}
	if g.isDialler {
		c.nextOwn, c.nextPeer = 1, 2
	}
	c.wake.L, c.changed.L = &c.mutex, &c.mutex
	for class := Election; class <= Snapshot; class++ {
		c.allowed[class] = uint64(g.peer.streams[class])
		c.taken[class].announced = uint64(g.own.streams[class])
	}
	c.leaving.peerLast = allIDs
	c.leaving.ownLast = allIDs
	c.liveness.start()
	c.queueGreeting()
	return c
}

// run starts the goroutines.
func (c *Conn) run() {
	go c.readFrames()
	go c.writeFrames()
	go c.watch()
}

// queueGreeting sends the one ignorable frame that everybody has to send (R-FRM-12), and a PING to know the round trip.
func (c *Conn) queueGreeting() {
	payload := make([]byte, rand.Intn(33))
	rand.Read(payload)
	c.queueControl(header{kind: firstIgnorable + frameType(rand.Intn(0x80))}, payload)
	c.queuePing()
}

// openStream makes a stream of ours; the peer hears of it with its first bytes.
func (c *Conn) openStream() (*Stream, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if err := c.usable(); err != nil {
		return nil, err
	}
	return c.newStream(0), nil
}

// usable says why no stream may be opened here.
func (c *Conn) usable() error {
	switch {
	case c.err != nil:
		return c.err
	case c.leaving.hasSaid:
		return faultf(Shutdown, "this side is leaving")
	case c.leaving.hasHeard:
		return &Error{Code: Shutdown, Text: "the peer is leaving", IsRemote: true}
	}
	return nil
}

// isUsable says whether streams may be opened here.
func (c *Conn) isUsable() bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.usable() == nil
}

// end closes with an error: GOAWAY as the last frame, then the half-close (R-DRN-17, R-DRN-18).
func (c *Conn) end(err error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.endLocked(err)
}

func (c *Conn) endLocked(err error) {
	if c.err != nil {
		return
	}
	c.err = err
	if fault, isOwn := err.(*Error); isOwn && !fault.IsRemote {
		c.output.farewell = &goAway{last: c.lastTaken(), code: fault.Code, text: fault.Text}
	}
	for _, stream := range c.streams {
		stream.fail(err)
	}
	c.wake.Broadcast()
	c.changed.Broadcast()
	if c.onEnd != nil {
		go c.onEnd(c)
	}
}

// lastTaken is the greatest id among the peer's streams that were taken.
func (c *Conn) lastTaken() uint64 {
	last := uint64(0)
	if c.nextPeer > 2 {
		last = c.nextPeer - 2
	}
	if c.leaving.ownLast < last {
		return c.leaving.ownLast
	}
	return last
}

func (c *Conn) readFrames() {
	frames := frameReader{source: livelySource{c}, maximum: c.own.maximumPayload, hasChecksum: c.hasChecksum()}
	for {
		h, payload, err := frames.next()
		if err == nil {
			err = c.receive(h, payload)
		}
		if err != nil {
			c.end(c.endOfInput(err))
			return
		}
	}
}

// livelySource takes every byte for a sign of life (R-LIV-7).
type livelySource struct{ conn *Conn }

func (s livelySource) Read(into []byte) (int, error) {
	count, err := s.conn.socket.Read(into)
	if count > 0 {
		s.conn.mutex.Lock()
		s.conn.liveness.heard(time.Now())
		s.conn.mutex.Unlock()
	}
	return count, err
}

// receive acts on one frame.
func (c *Conn) receive(h header, payload []byte) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.err != nil {
		return c.err
	}
	switch h.kind {
	case typeData:
		return c.receiveData(h, payload)
	case typeCredit:
		return c.receiveCredit(h.stream, binary.BigEndian.Uint64(payload))
	case typeReset:
		return c.receiveReset(h.stream, Code(binary.BigEndian.Uint32(payload)))
	case typeStop:
		return c.receiveStop(h.stream, Code(binary.BigEndian.Uint32(payload)))
	case typeStreams:
		return c.receiveStreams(Class(h.class), binary.BigEndian.Uint64(payload))
	case typePing:
		return c.receivePing(payload)
	case typePong:
		return c.receivePong(binary.BigEndian.Uint64(payload))
	case typeGoAway:
		return c.receiveGoAway(payload)
	case typeHello, typeAuth, typeWelcome:
		return faultf(ProtocolViolation, "a frame of type %#x behind the handshake", byte(h.kind))
	}
	return c.budgets.ignorableFrames.take(time.Now())
}
