package main

import (
	"io"
	"net"
	"time"
)

// A countedConn counts what a socket carries and keeps its short cuts, such as sendfile.
type countedConn struct {
	*net.TCPConn
	wire *tally
}

func dialCounted(address string, timeout time.Duration, wire *tally) (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", address, timeout)
	if err != nil {
		return nil, err
	}
	return countedConn{conn.(*net.TCPConn), wire}, nil
}

func (c countedConn) Read(into []byte) (int, error) {
	count, err := c.TCPConn.Read(into)
	c.wire.add(count)
	return count, err
}

func (c countedConn) Write(bytes []byte) (int, error) {
	count, err := c.TCPConn.Write(bytes)
	c.wire.add(count)
	return count, err
}

func (c countedConn) ReadFrom(source io.Reader) (int64, error) {
	count, err := c.TCPConn.ReadFrom(source)
	c.wire.add(int(count))
	return count, err
}
