//go:build raft && (yamux || smux)

package main

import (
	"net"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// A session is one TCP connection that is cut into streams.
type session interface {
	open() (net.Conn, error)
	accept() (net.Conn, error)
}

// sessionLayer gives hashicorp/raft streams of one session for each peer.
type sessionLayer struct {
	net.Listener
	wire *tally
	// start makes a session of a connection.
	start    func(conn net.Conn, dialled bool) (session, error)
	accepted chan net.Conn

	lock     sync.Mutex
	sessions map[raft.ServerAddress]session
}

func listenForSessions(
	start func(net.Conn, bool) (session, error),
) func(string, *tally) (raft.StreamLayer, error) {
	return func(host string, wire *tally) (raft.StreamLayer, error) {
		listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			return nil, err
		}
		layer := &sessionLayer{
			Listener: listener, wire: wire, start: start, accepted: make(chan net.Conn),
			sessions: map[raft.ServerAddress]session{},
		}
		go layer.acceptSessions()
		return layer, nil
	}
}

func (l *sessionLayer) acceptSessions() {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return
		}
		go func() {
			peer, err := l.start(conn, false)
			if err != nil {
				conn.Close()
				return
			}
			for {
				stream, err := peer.accept()
				if err != nil {
					return
				}
				l.accepted <- stream
			}
		}()
	}
}

// Accept gives the next stream of any session.
func (l *sessionLayer) Accept() (net.Conn, error) { return <-l.accepted, nil }

func (l *sessionLayer) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	if known, found := l.sessions[address]; found {
		if stream, err := known.open(); err == nil {
			return stream, nil
		}
	}
	conn, err := dialCounted(string(address), timeout, l.wire)
	if err != nil {
		return nil, err
	}
	peer, err := l.start(conn, true)
	if err != nil {
		conn.Close()
		return nil, err
	}
	l.sessions[address] = peer
	return peer.open()
}
