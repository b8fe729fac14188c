package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/hashicorp/raft"
)

// An answerer answers what peers ask, until a node takes over. The answers are functions of the requests, so that a
// test can tell whether each got its own:
//
//	AppendEntries    Term and ProtocolVersion of the request, LastLog = PrevLogEntry + entries, Success;
//	                 NoRetryBackoff if there are no entries
//	RequestVote      Term and ProtocolVersion of the request, Peers = Candidate, Granted if LastLogIndex is even
//	InstallSnapshot  Term and ProtocolVersion of the request, Success; the body's sum is in the statistics
//	TimeoutNow       ProtocolVersion of the request
//
// A request whose term is that of "behave" gets the error of "behave" besides.
type answerer struct {
	mutex      sync.Mutex
	rules      rules
	statistics statistics
	stop       chan struct{}
	// report hears of each AppendEntries before it is answered; nil if nobody wants to know.
	report func(appended)
}

type rules struct {
	FailTerm uint64 `json:"failTerm"`
	FailText string `json:"failText"`
	// RefuseSnapshots answers a snapshot with FailText, whatever its body is.
	RefuseSnapshots bool `json:"refuseSnapshots"`
}

type statistics struct {
	AppendEntries   int `json:"appendEntries"`
	Heartbeats      int `json:"heartbeats"`
	RequestVote     int `json:"requestVote"`
	InstallSnapshot int `json:"installSnapshot"`
	TimeoutNow      int `json:"timeoutNow"`
	// Last is the request that came last, as the library decoded it.
	Last interface{} `json:"last"`
	// Snapshots are the bodies in the order in which they ended.
	Snapshots []body `json:"snapshots"`
	// What RMUX has live, and streams that peers had to be asked to end; -1 on classic TCP.
	Connections int `json:"connections"`
	Streams     int `json:"streams"`
	Impatience  int `json:"impatience"`
}

type body struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	Error  string `json:"error,omitempty"`
}

func (p *program) behave(c command) (interface{}, error) {
	p.answerer.mutex.Lock()
	defer p.answerer.mutex.Unlock()
	p.answerer.rules = rules{}
	return nil, c.read(&p.answerer.rules)
}

func (p *program) stats(command) (interface{}, error) {
	transport, err := p.listening()
	if err != nil {
		return nil, err
	}
	p.answerer.mutex.Lock()
	defer p.answerer.mutex.Unlock()
	result := p.answerer.statistics
	result.Snapshots = append([]body{}, result.Snapshots...)
	result.Connections = transport.layer.Connections()
	result.Streams = transport.layer.Streams()
	result.Impatience = transport.layer.Impatience()
	return result, nil
}

func (a *answerer) start(transport *raft.NetworkTransport) {
	a.stop = make(chan struct{})
	transport.SetHeartbeatHandler(func(rpc raft.RPC) {
		a.count(func(s *statistics) { s.Heartbeats++ })
		a.answer(rpc)
	})
	go func() {
		for {
			select {
			case rpc := <-transport.Consumer():
				// A snapshot takes its time; the others are answered in order.
				if _, isSnapshot := rpc.Command.(*raft.InstallSnapshotRequest); isSnapshot {
					go a.answer(rpc)
				} else {
					a.answer(rpc)
				}
			case <-a.stop:
				return
			}
		}
	}()
}

// end leaves the transport's requests to somebody else.
func (a *answerer) end() { close(a.stop) }

func (a *answerer) count(change func(*statistics)) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	change(&a.statistics)
}

func (a *answerer) failure(term uint64) error {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if a.rules.FailText != "" && term == a.rules.FailTerm {
		return errors.New(a.rules.FailText)
	}
	return nil
}

func (a *answerer) answer(rpc raft.RPC) {
	switch request := rpc.Command.(type) {
	case *raft.AppendEntriesRequest:
		a.count(func(s *statistics) { s.AppendEntries++; s.Last = request })
		if a.report != nil {
			a.report(appended{request.Term, request.PrevLogEntry})
		}
		rpc.Respond(&raft.AppendEntriesResponse{
			RPCHeader: request.RPCHeader, Term: request.Term, LastLog: request.PrevLogEntry + uint64(len(request.Entries)),
			Success: true, NoRetryBackoff: len(request.Entries) == 0,
		}, a.failure(request.Term))
	case *raft.RequestVoteRequest:
		a.count(func(s *statistics) { s.RequestVote++; s.Last = request })
		rpc.Respond(&raft.RequestVoteResponse{
			RPCHeader: request.RPCHeader, Term: request.Term, Peers: request.Candidate,
			Granted: request.LastLogIndex%2 == 0,
		}, a.failure(request.Term))
	case *raft.TimeoutNowRequest:
		a.count(func(s *statistics) { s.TimeoutNow++; s.Last = request })
		rpc.Respond(&raft.TimeoutNowResponse{RPCHeader: request.RPCHeader}, a.failure(0))
	case *raft.InstallSnapshotRequest:
		a.install(rpc, request)
	default:
		rpc.Respond(nil, fmt.Errorf("unexpected command %T", rpc.Command))
	}
}

func (a *answerer) install(rpc raft.RPC, request *raft.InstallSnapshotRequest) {
	a.mutex.Lock()
	isRefused, text := a.rules.RefuseSnapshots, a.rules.FailText
	a.mutex.Unlock()
	response := &raft.InstallSnapshotResponse{RPCHeader: request.RPCHeader, Term: request.Term}
	if isRefused {
		// As a node does: what nobody wants is read all the same, since it stands before the next request.
		io.Copy(io.Discard, rpc.Reader)
		rpc.Respond(response, errors.New(text))
		return
	}
	sum := sha256.New()
	size, err := io.Copy(sum, rpc.Reader)
	if err == nil && size < request.Size {
		err = io.ErrUnexpectedEOF
	}
	received := body{Size: size, SHA256: hex.EncodeToString(sum.Sum(nil))}
	if err != nil {
		received.Error = err.Error()
	} else {
		err = a.failure(request.Term)
	}
	a.count(func(s *statistics) {
		s.InstallSnapshot++
		s.Last = request
		s.Snapshots = append(s.Snapshots, received)
	})
	response.Success = err == nil
	rpc.Respond(response, err)
}
