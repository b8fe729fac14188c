package main

import (
	"encoding/binary"
	"net"
	"time"
)

// endless in the place of a length: bytes follow until the connection is closed, and the answers are counts of them.
const endless = 1 << 63

// countBytes reads all that comes, sums it up, and says about every 20 ms how much it was.
func countBytes(conn net.Conn, buffer []byte) {
	var count uint64
	var sum wordSum
	var said time.Time
	for {
		read, err := conn.Read(buffer)
		if err != nil {
			return
		}
		sum.update(buffer[:read])
		count += uint64(read)
		if time.Since(said) < 20*time.Millisecond {
			continue
		}
		said = time.Now()
		var answer [8]byte
		binary.BigEndian.PutUint64(answer[:], count)
		if _, err := conn.Write(answer[:]); err != nil {
			return
		}
	}
}

// stream is what one connection gets that does nothing else, counted at its other end as it is beside votes, for as
// long as those take.
func (c *tcpClient) stream(w workload) (sample, error) {
	snap, err := loadSnapshot(w)
	if err != nil {
		return sample{}, err
	}
	conn, err := net.DialTimeout("tcp", c.address, callTimeoutTCP)
	if err != nil {
		return sample{}, err
	}
	defer conn.Close()
	go send(conn, snap)
	seconds := w.Seconds
	if w.Rate > 0 && float64(w.LeastCalls)/w.Rate > seconds {
		seconds = float64(w.LeastCalls) / w.Rate
	}
	begin := newStopwatch(w.LeadInSeconds)
	var first, last progress
	for {
		at, err := hear(conn)
		if err != nil {
			return sample{}, err
		}
		if begin.isRunning() {
			continue
		}
		if first.bytes == 0 {
			first = at
		}
		last = at
		if last.time.Sub(first.time).Seconds() >= seconds {
			break
		}
	}
	elapsed := last.time.Sub(first.time).Seconds()
	bytes := last.bytes - first.bytes
	c.wire.add(int(bytes))
	return sample{
		PayloadBytes: int(bytes), Seconds: elapsed, Load: &load{SnapshotBytesPerSecond: float64(bytes) / elapsed},
	}, nil
}

const callTimeoutTCP = 5 * time.Second

// progress is how much the other side had read when it said so.
type progress struct {
	time  time.Time
	bytes uint64
}

func hear(conn net.Conn) (progress, error) {
	var answer [8]byte
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		return progress{}, err
	}
	for read := 0; read < len(answer); {
		count, err := conn.Read(answer[read:])
		if err != nil {
			return progress{}, err
		}
		read += count
	}
	return progress{time.Now(), binary.BigEndian.Uint64(answer[:])}, nil
}

// send writes a snapshot over and over, until the connection is closed.
func send(conn net.Conn, snap *snapshot) {
	var mark [8]byte
	binary.BigEndian.PutUint64(mark[:], endless)
	_, err := conn.Write(mark[:])
	for err == nil {
		_, err = conn.Write(snap.bytes)
	}
}
