// Package rmux is an endpoint of RMUX/1, written from the pages in Spec, and a StreamLayer of hashicorp/raft on top:
// each Dial is a stream, and all streams of a pair of servers share one connection.
//
// It offers the authentication method none and the feature crc32. It sends snapshots plain and takes them in chunks,
// too. Its windows do not grow.
package rmux

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

// A Config says who this server is and what it offers.
type Config struct {
	Cluster, Server string
	// Checksum offers CRC-32 on each frame.
	Checksum bool
	// Window is how many bytes are taken on each stream ahead of their reader: 16 KiB to 64 MiB, 256 KiB if it is 0.
	Window uint32
}

const (
	mostHandshakes  = 128
	mostConnections = 1024
	// How long a refused dialler keeps its hands off an address.
	refusalPause = 100 * time.Millisecond
	// How long the winner of two simultaneous dials may take to show up.
	winnerTime = 2 * time.Second
)

// incarnation orders the starts of a server.
var incarnation = uint64(time.Now().UnixNano())

var errClosed = errors.New("rmux: the layer is closed")

// A Layer listens, dials, and keeps the connections. It is a raft.StreamLayer.
type Layer struct {
	listener net.Listener
	own      hello

	mutex sync.Mutex
	// changed tells of links that come and go.
	changed sync.Cond
	links   []*link
	// asked are the addresses that were ever to be called.
	asked      map[string]bool
	attempts   map[string]*attempt
	handshakes int
	impatience atomic.Int64
	isClosed   bool

	// accepted has a lock of its own: streams come in under the lock of their connection.
	acceptMutex sync.Mutex
	hasAccepted sync.Cond
	accepted    []*Stream
	isEnded     bool
}

// Listen opens a layer that others can dial.
func Listen(address string, config Config) (*Layer, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	own := hello{
		minimumVersion: protocolVersion, maximumVersion: protocolVersion, methods: methodNone,
		maximumPayload: largestPayload, initialWindow: 256 << 10, incarnation: incarnation,
		// With the window of 256 KiB these are 82 MiB, within the budget of 128 MiB: no opening is ever refused for
		// lack of it. With larger windows there are fewer streams.
		streams: [classes]uint32{Election: 64, Append: 256, Snapshot: 8},
		cluster: config.Cluster, server: config.Server, address: listener.Addr().String(),
	}
	if config.Checksum {
		own.features |= featureChecksum
	}
	if config.Window != 0 {
		own.initialWindow = config.Window
		for own.initialWindow*own.streams[Append] > 96<<20 && own.streams[Append] > 8 {
			own.streams[Append] /= 2
		}
	}
	l := &Layer{listener: listener, own: own, asked: map[string]bool{}, attempts: map[string]*attempt{}}
	l.changed.L = &l.mutex
	l.hasAccepted.L = &l.acceptMutex
	go l.takeConnections()
	return l, nil
}

// Addr is where others dial.
func (l *Layer) Addr() net.Addr { return l.listener.Addr() }

// Accept waits for a stream that a peer opens.
func (l *Layer) Accept() (net.Conn, error) {
	l.acceptMutex.Lock()
	defer l.acceptMutex.Unlock()
	for len(l.accepted) == 0 {
		if l.isEnded {
			return nil, errClosed
		}
		l.hasAccepted.Wait()
	}
	stream := l.accepted[0]
	l.accepted = l.accepted[1:]
	if stream.encoding == encodingChunked {
		return newUnchunked(stream), nil
	}
	return stream, nil
}

func (l *Layer) take(stream *Stream) {
	l.acceptMutex.Lock()
	defer l.acceptMutex.Unlock()
	l.accepted = append(l.accepted, stream)
	l.hasAccepted.Signal()
}

// Close ends everything.
func (l *Layer) Close() error {
	l.mutex.Lock()
	l.isClosed = true
	links := append([]*link(nil), l.links...)
	l.changed.Broadcast()
	l.mutex.Unlock()
	l.acceptMutex.Lock()
	l.isEnded = true
	l.hasAccepted.Broadcast()
	l.acceptMutex.Unlock()
	for _, link := range links {
		link.end(faultf(Shutdown, "the server closes"))
	}
	return l.listener.Close()
}

// Drain leaves all connections in order; later calls make new ones.
func (l *Layer) Drain() error {
	var group sync.WaitGroup
	for _, conn := range l.established() {
		group.Add(1)
		go func(conn *Conn) {
			defer group.Done()
			conn.drain()
		}(conn)
	}
	group.Wait()
	return nil
}

// Connections counts those whose handshake is complete.
func (l *Layer) Connections() int { return len(l.established()) }

// Streams counts those that one of the sides has not let go of.
func (l *Layer) Streams() int {
	count := 0
	for _, conn := range l.established() {
		conn.mutex.Lock()
		count += len(conn.streams)
		conn.mutex.Unlock()
	}
	return count
}

// Impatience counts the streams that peers had to be asked to end, behind our own end of them.
func (l *Layer) Impatience() int { return int(l.impatience.Load()) }

func (l *Layer) established() []*Conn {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	var conns []*Conn
	for _, link := range l.links {
		if link.conn != nil {
			conns = append(conns, link.conn)
		}
	}
	return conns
}

func (l *Layer) takeConnections() {
	for {
		socket, err := l.listener.Accept()
		if err != nil {
			l.mutex.Lock()
			isClosed := l.isClosed
			l.mutex.Unlock()
			if isClosed {
				return
			}
			// Out of descriptors, perhaps: others may be closed in a while.
			time.Sleep(10 * time.Millisecond)
			continue
		}
		l.mutex.Lock()
		hasRoom := !l.isClosed && l.handshakes < mostHandshakes && len(l.links) < mostConnections
		if hasRoom {
			l.handshakes++
		}
		l.mutex.Unlock()
		if !hasRoom {
			socket.Close()
			continue
		}
		go func() {
			l.greet(socket, "")
			l.mutex.Lock()
			l.handshakes--
			l.mutex.Unlock()
		}()
	}
}

// greet performs a handshake and keeps the connection; the target is the address that was dialled.
func (l *Layer) greet(socket net.Conn, target string) (*link, error) {
	var new *link
	g, err := greet(socket, l.own, target != "", func(g greeting) welcome {
		var verdict welcome
		new, verdict = l.judge(g, socket, target)
		return verdict
	})
	if err != nil {
		if new != nil {
			l.remove(new)
		}
		return nil, err
	}
	conn := newConn(socket, g, l.take, func(*Conn) { l.remove(new) }, &l.impatience)
	l.mutex.Lock()
	new.greeting = g
	new.conn = conn
	isUnwanted := new.isUnwanted
	l.changed.Broadcast()
	l.mutex.Unlock()
	conn.run()
	if isUnwanted {
		conn.end(faultf(Displaced, "another connection has taken the place of this one"))
	}
	return new, nil
}

// An attempt to dial an address serves everybody who wants to call it meanwhile.
type attempt struct {
	isOver bool
	err    error
	// until keeps others from dialling again at once.
	until time.Time
}

// Dial opens a stream to a server.
func (l *Layer) Dial(target raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	address := string(target)
	end := deadline{}
	if timeout > 0 {
		end.at = time.Now().Add(timeout)
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.asked[address] = true
	for {
		if l.isClosed {
			return nil, errClosed
		}
		if stream := l.openStream(address); stream != nil {
			return stream, nil
		}
		current := l.attempts[address]
		if current == nil || current.isOver && time.Now().After(current.until) {
			current = &attempt{}
			l.attempts[address] = current
			go l.dial(current, address, end)
		}
		for !current.isOver {
			if end.hasPassed() {
				return nil, faultf(HandshakeTimeout, "%s was not reached in time", address)
			}
			l.wait(end)
		}
		if current.err != nil {
			var refused refusal
			if errors.As(current.err, &refused) && refused.winner != nil && l.waitForWinner(*refused.winner) {
				continue
			}
			return nil, current.err
		}
	}
}

// openStream opens a stream on a connection that leads to an address, if there is one.
func (l *Layer) openStream(address string) *Stream {
	for _, link := range l.links {
		if link.conn == nil || !link.leadsTo(address) {
			continue
		}
		if stream, err := link.conn.openStream(); err == nil {
			return stream
		}
	}
	return nil
}

func (l *Layer) dial(current *attempt, address string, end deadline) {
	dialler := net.Dialer{Deadline: end.at, Timeout: handshakeTime}
	socket, err := dialler.Dial("tcp", address)
	if err == nil {
		_, err = l.greet(socket, address)
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	current.isOver = true
	current.err = err
	if refused := (refusal{}); errors.As(err, &refused) && refused.winner == nil {
		current.until = time.Now().Add(jittered(refusalPause))
	}
	l.changed.Broadcast()
}

// waitForWinner waits until the connection that won against ours is there.
func (l *Layer) waitForWinner(winner nonce) bool {
	end := deadline{time.Now().Add(winnerTime)}
	for !end.hasPassed() && !l.isClosed {
		for _, link := range l.links {
			if link.diallerNonce() == winner && link.conn != nil {
				return true
			}
		}
		l.wait(end)
	}
	return false
}

// wait waits for a change of the links, or the deadline.
func (l *Layer) wait(end deadline) {
	if !end.at.IsZero() {
		timer := time.AfterFunc(time.Until(end.at), func() {
			l.mutex.Lock()
			defer l.mutex.Unlock()
			l.changed.Broadcast()
		})
		defer timer.Stop()
	}
	l.changed.Wait()
}
