package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/hashicorp/raft"
)

// callOptions has a request as the library's types are in JSON: names as in Go, bytes in base64.
type callOptions struct {
	RPC     string          `json:"rpc"`
	Target  string          `json:"target"`
	Server  string          `json:"server"`
	Request json.RawMessage `json:"request"`
}

// call makes one call and gives the response.
func (p *program) call(c command) (interface{}, error) {
	transport, err := p.listening()
	if err != nil {
		return nil, err
	}
	var o callOptions
	if err := c.read(&o); err != nil {
		return nil, err
	}
	id, target := raft.ServerID(o.Server), raft.ServerAddress(o.Target)
	switch o.RPC {
	case "AppendEntries":
		var request raft.AppendEntriesRequest
		var response raft.AppendEntriesResponse
		if err := json.Unmarshal(o.Request, &request); err != nil {
			return nil, err
		}
		return &response, transport.AppendEntries(id, target, &request, &response)
	case "RequestVote":
		var request raft.RequestVoteRequest
		var response raft.RequestVoteResponse
		if err := json.Unmarshal(o.Request, &request); err != nil {
			return nil, err
		}
		return &response, transport.RequestVote(id, target, &request, &response)
	case "TimeoutNow":
		var request raft.TimeoutNowRequest
		var response raft.TimeoutNowResponse
		if err := json.Unmarshal(o.Request, &request); err != nil {
			return nil, err
		}
		return &response, transport.TimeoutNow(id, target, &request, &response)
	}
	return nil, fmt.Errorf("unknown RPC %q", o.RPC)
}

type pipelineOptions struct {
	Target     string `json:"target"`
	Server     string `json:"server"`
	Count      int    `json:"count"`
	Entries    int    `json:"entries"`
	EntryBytes int    `json:"entryBytes"`
}

type pipelineResult struct {
	Answered int `json:"answered"`
	// MostInFlight is the greatest number of requests that were sent and not answered.
	MostInFlight int `json:"mostInFlight"`
}

// pipeline sends requests as fast as upstream's pipeline takes them, and checks that each answer, in order, is that of
// its request.
func (p *program) pipeline(c command) (interface{}, error) {
	transport, err := p.listening()
	if err != nil {
		return nil, err
	}
	var o pipelineOptions
	if err := c.read(&o); err != nil {
		return nil, err
	}
	pipeline, err := transport.AppendEntriesPipeline(raft.ServerID(o.Server), raft.ServerAddress(o.Target))
	if err != nil {
		return nil, err
	}
	defer pipeline.Close()
	sent := make(chan int, o.Count)
	failed := make(chan error, 1)
	go func() {
		data := make([]byte, o.EntryBytes)
		for number := 0; number < o.Count; number++ {
			request := &raft.AppendEntriesRequest{
				RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax}, Term: 7, Leader: []byte("go"),
				PrevLogEntry: uint64(number), PrevLogTerm: 7, LeaderCommitIndex: uint64(number),
			}
			for i := 0; i < o.Entries; i++ {
				request.Entries = append(request.Entries, &raft.Log{Index: uint64(number + 1 + i), Term: 7, Data: data})
			}
			if _, err := pipeline.AppendEntries(request, new(raft.AppendEntriesResponse)); err != nil {
				failed <- err
				return
			}
			sent <- number
		}
	}()
	var result pipelineResult
	for result.Answered < o.Count {
		select {
		case future := <-pipeline.Consumer():
			if err := future.Error(); err != nil {
				return nil, fmt.Errorf("answer %d: %w", result.Answered, err)
			}
			if got, want := future.Response().LastLog, uint64(result.Answered+o.Entries); got != want {
				return nil, fmt.Errorf("answer %d has the last log %d instead of %d", result.Answered, got, want)
			}
			result.Answered++
			if inFlight := len(sent) + 1; inFlight > result.MostInFlight {
				result.MostInFlight = inFlight
			}
			<-sent
		case err := <-failed:
			return nil, err
		}
	}
	return result, nil
}

type snapshotOptions struct {
	Target string `json:"target"`
	Server string `json:"server"`
	Size   int64  `json:"size"`
	Term   uint64 `json:"term"`
	Seed   uint64 `json:"seed"`
	// Short is by how much the source ends too early.
	Short int64 `json:"short"`
	// Pieces, if it is not 0, makes the source give this many bytes a millisecond.
	Pieces int64 `json:"pieces"`
}

type snapshotResult struct {
	SHA256   string                        `json:"sha256"`
	Response *raft.InstallSnapshotResponse `json:"response"`
}

// snapshot sends bytes of a pattern and gives their sum.
func (p *program) snapshot(c command) (interface{}, error) {
	transport, err := p.listening()
	if err != nil {
		return nil, err
	}
	var o snapshotOptions
	if err := c.read(&o); err != nil {
		return nil, err
	}
	sum := sha256.New()
	var source io.Reader = &pattern{state: o.Seed*2 + 1, left: o.Size - o.Short}
	if o.Pieces > 0 {
		source = &slow{source, o.Pieces}
	}
	request := &raft.InstallSnapshotRequest{
		RPCHeader:       raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax},
		SnapshotVersion: raft.SnapshotVersionMax, Term: o.Term, Leader: []byte("go"), LastLogIndex: 9, LastLogTerm: o.Term,
		Configuration: []byte("configuration"), ConfigurationIndex: 3, Size: o.Size,
	}
	var response raft.InstallSnapshotResponse
	err = transport.InstallSnapshot(
		raft.ServerID(o.Server), raft.ServerAddress(o.Target), request, &response, io.TeeReader(source, sum))
	return snapshotResult{hex.EncodeToString(sum.Sum(nil)), &response}, err
}

// A pattern gives bytes that look random, of which a third repeat the byte before.
type pattern struct {
	state uint64
	left  int64
}

func (p *pattern) Read(into []byte) (int, error) {
	if p.left <= 0 {
		return 0, io.EOF
	}
	if int64(len(into)) > p.left {
		into = into[:p.left]
	}
	for i := range into {
		if (p.left-int64(i))%3 != 1 {
			p.state ^= p.state << 13
			p.state ^= p.state >> 7
			p.state ^= p.state << 17
		}
		into[i] = byte(p.state >> 32)
	}
	p.left -= int64(len(into))
	return len(into), nil
}

// A slow reader stands for a disk that takes its time.
type slow struct {
	source           io.Reader
	bytesMillisecond int64
}

func (s *slow) Read(into []byte) (int, error) {
	if int64(len(into)) > s.bytesMillisecond {
		into = into[:s.bytesMillisecond]
	}
	time.Sleep(time.Millisecond)
	return s.source.Read(into)
}
