//go:build raft

package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// poolSize lets every caller keep a connection.
const poolSize = 64

const callTimeout = 10 * time.Second

func init() { systems["hashicorp-tcp"] = raftSystem{listenTCP} }

// raftSystem is hashicorp/raft's NetworkTransport on some kind of streams.
type raftSystem struct {
	// listen opens the streams; the tally counts what the sockets carry.
	listen func(host string, wire *tally) (raft.StreamLayer, error)
}

func (s raftSystem) transport(host string, wire *tally) (*raft.NetworkTransport, error) {
	layer, err := s.listen(host, wire)
	if err != nil {
		return nil, err
	}
	return raft.NewNetworkTransport(layer, poolSize, callTimeout, io.Discard), nil
}

func (s raftSystem) serve(host string) (string, error) {
	transport, err := s.transport(host, &tally{})
	if err != nil {
		return "", err
	}
	transport.SetHeartbeatHandler(answerRPC)
	go func() {
		for rpc := range transport.Consumer() {
			if _, isSnapshot := rpc.Command.(*raft.InstallSnapshotRequest); isSnapshot {
				go answerRPC(rpc)
			} else {
				answerRPC(rpc)
			}
		}
	}()
	return string(transport.LocalAddr()), nil
}

// snapshotBytesRead is what votes and heartbeats are answered with, in the place of the term: so the calling side knows
// what really arrives beside them.
var snapshotBytesRead tally

// A countedSum counts what it sums up.
type countedSum struct{ wordSum }

func (s *countedSum) Write(bytes []byte) (int, error) {
	snapshotBytesRead.add(len(bytes))
	return s.wordSum.Write(bytes)
}

func answerRPC(rpc raft.RPC) {
	switch request := rpc.Command.(type) {
	case *raft.AppendEntriesRequest:
		rpc.Respond(&raft.AppendEntriesResponse{
			RPCHeader: request.RPCHeader, Term: snapshotBytesRead.value(), LastLog: sumOfEntries(request),
			Success: true,
		}, nil)
	case *raft.RequestVoteRequest:
		rpc.Respond(&raft.RequestVoteResponse{
			RPCHeader: request.RPCHeader, Term: snapshotBytesRead.value(), Granted: true,
		}, nil)
	case *raft.InstallSnapshotRequest:
		var sum countedSum
		_, err := io.CopyBuffer(&sum, rpc.Reader, make([]byte, 256<<10))
		rpc.Respond(&raft.InstallSnapshotResponse{Term: sum.value(), Success: err == nil}, err)
	default:
		rpc.Respond(nil, errors.New("this is not measured"))
	}
}

func sumOfEntries(request *raft.AppendEntriesRequest) uint64 {
	var sum wordSum
	for _, entry := range request.Entries {
		sum.update(entry.Data)
	}
	return sum.value()
}

func (s raftSystem) call(address string) (client, error) {
	caller := &raftClient{target: raft.ServerAddress(address)}
	transport, err := s.transport("127.0.0.1", &caller.wire)
	caller.transport = transport
	return caller, err
}

type raftClient struct {
	transport *raft.NetworkTransport
	target    raft.ServerAddress
	wire      tally
}

var (
	peer   = raft.ServerID("server")
	leader = []byte("127.0.0.1:8300")
	header = raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax}
)

func (c *raftClient) wireBytes() uint64 { return c.wire.value() }

func (c *raftClient) measure(w workload) (sample, error) {
	switch w.Kind {
	case "unary":
		return c.unary(w)
	case "pipeline":
		return c.pipeline(w)
	case "snapshot":
		return c.snapshots(w)
	case "vote":
		return c.latency(w, c.askForVote)
	case "heartbeat":
		return c.latency(w, c.beat)
	}
	return sample{}, fmt.Errorf("unknown workload %s", w.Kind)
}

// An appendRequest is sent over and over; its checksum must come back.
type appendRequest struct {
	raft.AppendEntriesRequest
	sum uint64
}

func newAppendRequest(w workload) *appendRequest {
	request := &appendRequest{AppendEntriesRequest: raft.AppendEntriesRequest{
		RPCHeader: header, Term: 1, Leader: leader, PrevLogEntry: 1, PrevLogTerm: 1, LeaderCommitIndex: 1,
	}}
	for number := 0; number < w.Entries; number++ {
		data := make([]byte, w.EntryBytes)
		for i := range data {
			data[i] = byte(i*31 + number)
		}
		request.Entries = append(request.Entries, &raft.Log{Index: uint64(2 + number), Term: 1, Data: data})
	}
	request.sum = sumOfEntries(&request.AppendEntriesRequest)
	return request
}

func (r *appendRequest) check(response *raft.AppendEntriesResponse) error {
	if !response.Success || response.LastLog != r.sum {
		return errors.New("entries arrived with other bytes than were sent")
	}
	return nil
}

func (c *raftClient) unary(w workload) (sample, error) {
	request := newAppendRequest(w)
	watch := newStopwatch(w.Seconds)
	var callers sync.WaitGroup
	failures := make(chan error, w.Callers)
	replies := make([][]reply, w.Callers)
	for i := 0; i < w.Callers; i++ {
		callers.Add(1)
		go func(own *[]reply) {
			defer callers.Done()
			start := time.Now()
			for watch.isRunning() {
				var response raft.AppendEntriesResponse
				err := c.transport.AppendEntries(peer, c.target, &request.AppendEntriesRequest, &response)
				if err == nil {
					err = request.check(&response)
				}
				if err != nil {
					failures <- err
					return
				}
				end := time.Now()
				*own = append(*own, reply{took: end.Sub(start)})
				start = end
			}
		}(&replies[i])
	}
	callers.Wait()
	elapsed := watch.seconds()
	select {
	case err := <-failures:
		return sample{}, err
	default:
	}
	var all []reply
	for _, some := range replies {
		all = append(all, some...)
	}
	if len(all) == 0 {
		return sample{Seconds: elapsed}, nil
	}
	return sample{
		Operations: len(all), PayloadBytes: len(all) * w.Entries * w.EntryBytes, Seconds: elapsed,
		Latency: latencyOf(all),
	}, nil
}

func (c *raftClient) pipeline(w workload) (sample, error) {
	watch := newStopwatch(w.Seconds)
	var answers tally
	streams := w.Streams
	if streams == 0 {
		streams = 1
	}
	ended := make(chan error, streams)
	for i := 0; i < streams; i++ {
		go func() { ended <- c.fillPipeline(w, &answers, watch.isRunning) }()
	}
	var failure error
	for i := 0; i < streams; i++ {
		if err := <-ended; err != nil {
			failure = err
		}
	}
	if failure != nil {
		return sample{}, failure
	}
	count := int(answers.value())
	return sample{
		Operations: count, PayloadBytes: count * w.Entries * w.EntryBytes, Seconds: watch.seconds(),
	}, nil
}

// fillPipeline keeps w.Depth requests under way. The transport's own limit is 128 in these versions.
func (c *raftClient) fillPipeline(w workload, answers *tally, goesOn func() bool) error {
	pipeline, err := c.transport.AppendEntriesPipeline(peer, c.target)
	if err != nil {
		return err
	}
	request := newAppendRequest(w)
	room := make(chan struct{}, w.Depth)
	failed := make(chan error, 1)
	over := make(chan struct{})
	var consumer sync.WaitGroup
	consumer.Add(1)
	go func() {
		defer consumer.Done()
		for {
			select {
			case future := <-pipeline.Consumer():
				err := future.Error()
				if err == nil {
					err = request.check(future.Response())
				}
				if err != nil {
					failed <- err
					return
				}
				answers.add(1)
				<-room
			case <-over:
				return
			}
		}
	}()
	defer func() {
		pipeline.Close()
		close(over)
		consumer.Wait()
	}()
	for goesOn() {
		select {
		case room <- struct{}{}:
		case err := <-failed:
			return err
		}
		if _, err := pipeline.AppendEntries(&request.AppendEntriesRequest, new(raft.AppendEntriesResponse)); err != nil {
			return err
		}
	}
	// All is answered when there is room for as many as ever.
	for i := 0; i < w.Depth; i++ {
		select {
		case room <- struct{}{}:
		case err := <-failed:
			return err
		}
	}
	return nil
}

func (c *raftClient) snapshots(w workload) (sample, error) {
	snap, err := loadSnapshot(w)
	if err != nil {
		return sample{}, err
	}
	watch := newStopwatch(w.Seconds)
	count := 0
	for count == 0 || watch.isRunning() {
		source, end, err := snap.open(w.IsInMemory)
		if err != nil {
			return sample{}, err
		}
		err = c.install(snap, source)
		end()
		if err != nil {
			return sample{}, err
		}
		count++
	}
	return sample{Operations: count, PayloadBytes: count * len(snap.bytes), Seconds: watch.seconds()}, nil
}

func (c *raftClient) install(snap *snapshot, source io.Reader) error {
	request := &raft.InstallSnapshotRequest{
		RPCHeader: header, SnapshotVersion: raft.SnapshotVersionMax, Term: 1, Leader: leader, LastLogIndex: 1,
		LastLogTerm: 1, Size: int64(len(snap.bytes)),
	}
	var response raft.InstallSnapshotResponse
	if err := c.transport.InstallSnapshot(peer, c.target, request, &response, source); err != nil {
		return err
	}
	if !response.Success || response.Term != snap.sum {
		return errors.New("a snapshot arrived with other bytes than were sent")
	}
	return nil
}

func (c *raftClient) askForVote() (uint64, error) {
	request := &raft.RequestVoteRequest{
		RPCHeader: header, Term: 2, Candidate: leader, LastLogIndex: 1, LastLogTerm: 1,
	}
	var response raft.RequestVoteResponse
	if err := c.transport.RequestVote(peer, c.target, request, &response); err != nil {
		return 0, err
	}
	if !response.Granted {
		return 0, errors.New("a vote was not granted")
	}
	return response.Term, nil
}

func (c *raftClient) beat() (uint64, error) {
	request := &raft.AppendEntriesRequest{RPCHeader: header, Term: 2, Leader: leader}
	var response raft.AppendEntriesResponse
	if err := c.transport.AppendEntries(peer, c.target, request, &response); err != nil {
		return 0, err
	}
	if !response.Success {
		return 0, errors.New("a heartbeat was not accepted")
	}
	return response.Term, nil
}

func (c *raftClient) latency(w workload, ask question) (sample, error) {
	if w.Load == "idle" {
		return timeCalls(w, ask)
	}
	snap, err := loadSnapshot(w)
	if err != nil {
		return sample{}, err
	}
	stop := make(chan struct{})
	isStopped := func() bool {
		select {
		case <-stop:
			return true
		default:
			return false
		}
	}
	var answers tally
	var loads sync.WaitGroup
	failed := make(chan error, 2)
	if w.Load == "busy" {
		loads.Add(1)
		go func() {
			defer loads.Done()
			if err := c.fillPipeline(w, &answers, func() bool { return !isStopped() }); err != nil {
				failed <- err
			}
		}()
	}
	loads.Add(1)
	go func() {
		defer loads.Done()
		for !isStopped() {
			source := &stoppablePieces{bytes: snap.bytes, isStopped: isStopped}
			if err := c.install(snap, source); err != nil && !isStopped() {
				failed <- err
				return
			}
		}
	}()
	result, err := latencyBeside(&answers, failed, w, ask)
	close(stop)
	loads.Wait()
	return result, err
}

func latencyBeside(answers *tally, failed chan error, w workload, ask question) (sample, error) {
	if err := leadIn(w, ask); err != nil {
		return sample{}, err
	}
	before := answers.value()
	result, err := timeCalls(w, ask)
	if err != nil {
		return sample{}, err
	}
	if result.Load != nil {
		result.Load.RequestsPerSecond = float64(answers.value()-before) / result.Seconds
	}
	select {
	case err := <-failed:
		return sample{}, err
	default:
		return result, nil
	}
}

// leadIn makes calls that count for nothing, until the load has come into its own.
func leadIn(w workload, ask question) error {
	end := newStopwatch(w.LeadInSeconds)
	before, err := ask()
	if err != nil {
		return err
	}
	for {
		bytes, err := ask()
		if err != nil || bytes > before && !end.isRunning() {
			return err
		}
		time.Sleep(time.Millisecond)
	}
}

// stoppablePieces gives bytes in pieces, without copying them where that is possible, until it is stopped.
type stoppablePieces struct {
	bytes     []byte
	isStopped func() bool
}

var errStopped = errors.New("stopped")

func (p *stoppablePieces) Read(into []byte) (int, error) {
	if p.isStopped() {
		return 0, errStopped
	}
	if len(p.bytes) == 0 {
		return 0, io.EOF
	}
	count := copy(into, p.bytes)
	p.bytes = p.bytes[count:]
	return count, nil
}

func (p *stoppablePieces) WriteTo(w io.Writer) (int64, error) {
	var written int64
	for len(p.bytes) > 0 {
		if p.isStopped() {
			return written, errStopped
		}
		size := 256 << 10
		if len(p.bytes) < size {
			size = len(p.bytes)
		}
		count, err := w.Write(p.bytes[:size])
		written += int64(count)
		p.bytes = p.bytes[count:]
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// listenTCP gives each stream a socket of its own.
func listenTCP(host string, wire *tally) (raft.StreamLayer, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, err
	}
	return tcpLayer{listener, wire}, nil
}

type tcpLayer struct {
	net.Listener
	wire *tally
}

func (l tcpLayer) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	return dialCounted(string(address), timeout, l.wire)
}
