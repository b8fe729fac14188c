package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

func init() { systems["raw-tcp"] = rawTCP{} }

// rawTCP sends a length of eight bytes and as many bytes, and gets their checksum back. It is what the kernel allows.
type rawTCP struct{}

const pingBytes = 64

func (rawTCP) serve(host string) (string, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return "", err
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go answer(conn)
		}
	}()
	return listener.Addr().String(), nil
}

func answer(conn net.Conn) {
	defer conn.Close()
	// A ping comes in one read with its length; a large message fills the buffer.
	buffer := make([]byte, 256<<10)
	for {
		filled, err := io.ReadAtLeast(conn, buffer, 8)
		if err != nil {
			return
		}
		length := binary.BigEndian.Uint64(buffer)
		if length == endless {
			countBytes(conn, buffer)
			return
		}
		left := int(length)
		var sum wordSum
		sum.update(buffer[8:filled])
		left -= filled - 8
		for left > 0 {
			size := len(buffer)
			if left < size {
				size = left
			}
			count, err := conn.Read(buffer[:size])
			if err != nil {
				return
			}
			sum.update(buffer[:count])
			left -= count
		}
		if left < 0 {
			return // more came than was announced
		}
		var reply [8]byte
		binary.BigEndian.PutUint64(reply[:], sum.value())
		if _, err := conn.Write(reply[:]); err != nil {
			return
		}
	}
}

func (rawTCP) call(address string) (client, error) {
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &tcpClient{address: address, conn: conn}, nil
}

type tcpClient struct {
	address string
	conn    net.Conn
	wire    tally
}

func (c *tcpClient) wireBytes() uint64 { return c.wire.value() }

func (c *tcpClient) measure(w workload) (sample, error) {
	switch w.Kind {
	case "snapshot":
		return c.snapshots(w)
	case "vote", "heartbeat":
		if w.Load == "snapshot" {
			return c.stream(w)
		}
		return c.pings(w)
	}
	return sample{}, fmt.Errorf("plain TCP has no %s", w.Kind)
}

func (c *tcpClient) pings(w workload) (sample, error) {
	message := make([]byte, 8+pingBytes)
	binary.BigEndian.PutUint64(message, pingBytes)
	for i := range message[8:] {
		message[8+i] = byte(i * 31)
	}
	var sum wordSum
	sum.update(message[8:])
	// One connection, one ping at a time: at a rate they would wait for each other.
	w.Askers, w.Rate, w.LeastCalls = 1, 0, 0
	return timeCalls(w, func() (uint64, error) {
		if _, err := c.conn.Write(message); err != nil {
			return 0, err
		}
		c.wire.add(len(message))
		return 0, c.expect(sum.value())
	})
}

func (c *tcpClient) snapshots(w workload) (sample, error) {
	snap, err := loadSnapshot(w)
	if err != nil {
		return sample{}, err
	}
	watch := newStopwatch(w.Seconds)
	count := 0
	for count == 0 || watch.isRunning() {
		if err := c.send(snap, w.IsInMemory); err != nil {
			return sample{}, err
		}
		count++
	}
	return sample{Operations: count, PayloadBytes: count * len(snap.bytes), Seconds: watch.seconds()}, nil
}

func (c *tcpClient) send(snap *snapshot, isInMemory bool) error {
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(snap.bytes)))
	if _, err := c.conn.Write(length[:]); err != nil {
		return err
	}
	source, end, err := snap.open(isInMemory)
	if err != nil {
		return err
	}
	defer end()
	if _, err := io.Copy(c.conn, source); err != nil {
		return err
	}
	c.wire.add(8 + len(snap.bytes))
	return c.expect(snap.sum)
}

func (c *tcpClient) expect(sum uint64) error {
	var reply [8]byte
	if _, err := io.ReadFull(c.conn, reply[:]); err != nil {
		return err
	}
	c.wire.add(len(reply))
	if binary.BigEndian.Uint64(reply[:]) != sum {
		return fmt.Errorf("a message arrived with other bytes than were sent")
	}
	return nil
}

// open gives the bytes from where the workload wants them.
func (s *snapshot) open(isInMemory bool) (io.Reader, func(), error) {
	if isInMemory || !s.whole {
		return bytes.NewReader(s.bytes), func() {}, nil
	}
	file, err := os.Open(s.path)
	if err != nil {
		return nil, nil, err
	}
	return file, func() { file.Close() }, nil
}
