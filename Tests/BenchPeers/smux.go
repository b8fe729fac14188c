//go:build raft && smux

package main

import (
	"net"

	"github.com/xtaci/smux"
)

func init() { systems["hashicorp-smux"] = raftSystem{listenForSessions(startSmux)} }

type smuxSession struct{ *smux.Session }

func startSmux(conn net.Conn, dialled bool) (session, error) {
	config := smux.DefaultConfig()
	// Version 1 has no windows: a stream that is not read stops the others.
	config.Version = 2
	start := smux.Server
	if dialled {
		start = smux.Client
	}
	made, err := start(conn, config)
	return smuxSession{made}, err
}

func (s smuxSession) open() (net.Conn, error)   { return s.Session.OpenStream() }
func (s smuxSession) accept() (net.Conn, error) { return s.Session.AcceptStream() }
