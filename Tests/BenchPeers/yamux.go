//go:build raft && yamux

package main

import (
	"io"
	"net"

	"github.com/hashicorp/yamux"
)

func init() { systems["hashicorp-yamux"] = raftSystem{listenForSessions(startYamux)} }

type yamuxSession struct{ *yamux.Session }

func startYamux(conn net.Conn, dialled bool) (session, error) {
	config := yamux.DefaultConfig()
	config.LogOutput = io.Discard
	start := yamux.Server
	if dialled {
		start = yamux.Client
	}
	made, err := start(conn, config)
	return yamuxSession{made}, err
}

func (s yamuxSession) open() (net.Conn, error)   { return s.Session.Open() }
func (s yamuxSession) accept() (net.Conn, error) { return s.Session.Accept() }
