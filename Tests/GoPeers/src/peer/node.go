package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// A node is hashicorp/raft itself, unmodified, with its stores in memory.
type node struct {
	*raft.Raft
	machine *machine
}

type nodeOptions struct {
	Server string `json:"server"`
	// TrailingLogs is how many entries stay behind a snapshot.
	TrailingLogs uint64 `json:"trailingLogs"`
	// ElectionMilliseconds is the timeout of elections and heartbeats.
	ElectionMilliseconds int `json:"electionMilliseconds"`
}

func (p *program) node(c command) (interface{}, error) {
	transport, err := p.listening()
	if err != nil {
		return nil, err
	}
	if p.running != nil {
		return nil, errors.New("it runs already")
	}
	o := nodeOptions{TrailingLogs: 128, ElectionMilliseconds: 1000}
	if err := c.read(&o); err != nil {
		return nil, err
	}
	configuration := raft.DefaultConfig()
	configuration.LocalID = raft.ServerID(o.Server)
	configuration.Logger = logger(o.Server)
	configuration.TrailingLogs = o.TrailingLogs
	configuration.HeartbeatTimeout = time.Duration(o.ElectionMilliseconds) * time.Millisecond
	configuration.ElectionTimeout = configuration.HeartbeatTimeout
	configuration.LeaderLeaseTimeout = configuration.HeartbeatTimeout / 2
	// Snapshots are taken when the test says so.
	configuration.SnapshotThreshold = 1 << 40
	p.answerer.end()
	machine := &machine{}
	store := raft.NewInmemStore()
	running, err := raft.NewRaft(
		configuration, machine, store, store, raft.NewInmemSnapshotStore(), transport.NetworkTransport)
	if err != nil {
		return nil, err
	}
	p.running = &node{running, machine}
	return nil, nil
}

func (p *program) runs() (*node, error) {
	if p.running == nil {
		return nil, errors.New("no node runs here")
	}
	return p.running, nil
}

type member struct {
	Server  string `json:"server"`
	Address string `json:"address"`
}

// bootstrap makes a cluster of the servers, of which this node is one.
func (p *program) bootstrap(c command) (interface{}, error) {
	node, err := p.runs()
	if err != nil {
		return nil, err
	}
	var o struct {
		Members []member `json:"members"`
	}
	if err := c.read(&o); err != nil {
		return nil, err
	}
	var configuration raft.Configuration
	for _, m := range o.Members {
		configuration.Servers = append(configuration.Servers, raft.Server{
			Suffrage: raft.Voter, ID: raft.ServerID(m.Server), Address: raft.ServerAddress(m.Address),
		})
	}
	return nil, node.BootstrapCluster(configuration).Error()
}

type nodeState struct {
	Role    string `json:"role"`
	Leader  string `json:"leader"`
	Term    string `json:"term"`
	Applied int    `json:"applied"`
	Hash    string `json:"hash"`
	// Restored counts the snapshots that the state machine was restored from.
	Restored int `json:"restored"`
}

func (p *program) state(command) (interface{}, error) {
	node, err := p.runs()
	if err != nil {
		return nil, err
	}
	state := nodeState{Role: node.State().String(), Leader: string(node.Leader()), Term: node.Stats()["term"]}
	node.machine.mutex.Lock()
	defer node.machine.mutex.Unlock()
	state.Applied = int(node.machine.count)
	state.Hash = hex.EncodeToString(node.machine.hash[:])
	state.Restored = node.machine.restored
	return state, nil
}

// apply hands entries to the log and waits until all of them were applied here.
func (p *program) apply(c command) (interface{}, error) {
	node, err := p.runs()
	if err != nil {
		return nil, err
	}
	o := struct {
		Count      int    `json:"count"`
		EntryBytes int    `json:"entryBytes"`
		Name       string `json:"name"`
	}{}
	if err := c.read(&o); err != nil {
		return nil, err
	}
	futures := make([]raft.ApplyFuture, 0, o.Count)
	for number := 0; number < o.Count; number++ {
		entry := []byte(fmt.Sprintf("%s %d ", o.Name, number))
		if missing := o.EntryBytes - len(entry); missing > 0 {
			entry = append(entry, make([]byte, missing)...)
		}
		futures = append(futures, node.Apply(entry, 0))
	}
	applied := 0
	for _, future := range futures {
		if err := future.Error(); err != nil {
			return nil, fmt.Errorf("%d of %d: %w", applied, o.Count, err)
		}
		applied++
	}
	return map[string]int{"applied": applied}, nil
}

// compact takes a snapshot, so that a server that lags behind it has to be sent it.
func (p *program) compact(command) (interface{}, error) {
	node, err := p.runs()
	if err != nil {
		return nil, err
	}
	return nil, node.Snapshot().Error()
}

// transfer gives the leadership to a certain member.
func (p *program) transfer(c command) (interface{}, error) {
	node, err := p.runs()
	if err != nil {
		return nil, err
	}
	var to member
	if err := c.read(&to); err != nil {
		return nil, err
	}
	return nil, node.LeadershipTransferToServer(
		raft.ServerID(to.Server), raft.ServerAddress(to.Address)).Error()
}

// A machine is a state that depends on every entry and on their order: each entry is hashed together with the hash
// before it. Ballast makes its snapshots large.
type machine struct {
	mutex    sync.Mutex
	count    uint64
	hash     [sha256.Size]byte
	ballast  bytes.Buffer
	restored int
}

func (m *machine) Apply(log *raft.Log) interface{} {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.count++
	m.hash = sha256.Sum256(append(m.hash[:], log.Data...))
	m.ballast.Write(log.Data)
	return nil
}

func (m *machine) Snapshot() (raft.FSMSnapshot, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	var state machineSnapshot
	state = binary.BigEndian.AppendUint64(state, m.count)
	state = append(state, m.hash[:]...)
	return append(state, m.ballast.Bytes()...), nil
}

func (m *machine) Restore(from io.ReadCloser) error {
	defer from.Close()
	state, err := io.ReadAll(from)
	if err != nil {
		return err
	}
	if len(state) < 8+sha256.Size {
		return io.ErrUnexpectedEOF
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.count = binary.BigEndian.Uint64(state)
	copy(m.hash[:], state[8:])
	m.ballast.Reset()
	m.ballast.Write(state[8+sha256.Size:])
	m.restored++
	return nil
}

type machineSnapshot []byte

func (s machineSnapshot) Persist(sink raft.SnapshotSink) error {
	if _, err := sink.Write(s); err != nil {
		sink.Cancel()
		return err
	}
	return sink.Close()
}

func (machineSnapshot) Release() {}
