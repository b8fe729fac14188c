package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// A transport is upstream's own, with what carries its streams.
type transport struct {
	*raft.NetworkTransport
	layer streamLayer
}

// A streamLayer is what NetworkTransport needs, and what a test wants to know of it.
type streamLayer interface {
	raft.StreamLayer
	// Drain leaves without breaking what runs.
	Drain() error
	// Connections counts the live connections to peers, or says -1 where there is no such thing.
	Connections() int
	// Streams counts the live streams of all connections.
	Streams() int
	// Impatience counts the streams that peers had to be asked to end, though we had ended them.
	Impatience() int
}

// How to make a stream layer, by the name of what carries the streams.
var layers = map[string]func(o listenOptions) (streamLayer, error){
	"classic": listenClassic,
}

type listenOptions struct {
	// Transport is "classic" or "rmux".
	Transport string `json:"transport"`
	// Address is where to listen; port 0 takes a free one.
	Address string `json:"address"`
	// Advertise is what LocalAddr says; the bound address if it is empty.
	Advertise string `json:"advertise"`
	// Pool is how many idle connections (or streams) to a peer are kept.
	Pool int `json:"pool"`
	// TimeoutMilliseconds bounds each call; 10 seconds if it is 0.
	TimeoutMilliseconds int `json:"timeoutMilliseconds"`
	// Cluster and Server are for RMUX only.
	Cluster string `json:"cluster"`
	Server  string `json:"server"`
	// Checksum offers the feature crc32.
	Checksum bool `json:"checksum"`
	// Window is the initial window; the default if it is 0.
	Window uint32 `json:"window"`
	// Report writes a receipt for each AppendEntries that comes.
	Report bool `json:"report"`
}

func (p *program) listen(c command) (interface{}, error) {
	if p.transport != nil {
		return nil, errors.New("it listens already")
	}
	options := listenOptions{Transport: "classic", Address: "127.0.0.1:0", Pool: 3}
	if err := c.read(&options); err != nil {
		return nil, err
	}
	if options.TimeoutMilliseconds == 0 {
		options.TimeoutMilliseconds = 10000
	}
	listen, isKnown := layers[options.Transport]
	if !isKnown {
		return nil, fmt.Errorf("unknown transport %q", options.Transport)
	}
	layer, err := listen(options)
	if err != nil {
		return nil, err
	}
	bound := layer.Addr().String()
	if options.Advertise != "" {
		layer = advertising{layer, options.Advertise}
	}
	timeout := time.Duration(options.TimeoutMilliseconds) * time.Millisecond
	network := raft.NewNetworkTransportWithLogger(layer, options.Pool, timeout, logger(options.Server))
	p.transport = &transport{network, layer}
	if options.Report {
		p.answerer.report = p.report
	}
	p.answerer.start(network)
	return map[string]string{"address": bound}, nil
}

// An advertising layer is reached through somebody else, whose address it gives for its own.
type advertising struct {
	streamLayer
	address string
}

func (a advertising) Addr() net.Addr { return advertised(a.address) }

type advertised string

func (advertised) Network() string  { return "tcp" }
func (a advertised) String() string { return string(a) }

// logger writes what the variable RAFT_MUX_GO_LOG says ("warn", "debug") to standard error; nothing without it.
func logger(name string) hclog.Logger {
	level := hclog.LevelFromString(os.Getenv("RAFT_MUX_GO_LOG"))
	if level == hclog.NoLevel {
		return hclog.NewNullLogger()
	}
	return hclog.New(&hclog.LoggerOptions{Name: "go-peer " + name, Output: os.Stderr, Level: level})
}

func (p *program) listening() (*transport, error) {
	if p.transport == nil {
		return nil, errors.New("it does not listen yet")
	}
	return p.transport, nil
}

func (p *program) closeStreams(command) (interface{}, error) {
	transport, err := p.listening()
	if err != nil {
		return nil, err
	}
	transport.CloseStreams()
	return nil, nil
}

func (p *program) drain(command) (interface{}, error) {
	transport, err := p.listening()
	if err != nil {
		return nil, err
	}
	// Idle streams in the pool would last for ever.
	transport.CloseStreams()
	return nil, transport.layer.Drain()
}

// The classic protocol: a TCP connection for each stream.
type classicLayer struct{ net.Listener }

func listenClassic(o listenOptions) (streamLayer, error) {
	listener, err := net.Listen("tcp", o.Address)
	return classicLayer{listener}, err
}

func (classicLayer) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	return net.DialTimeout("tcp", string(address), timeout)
}

func (classicLayer) Drain() error     { return errors.New("the classic protocol has no drain") }
func (classicLayer) Connections() int { return -1 }
func (classicLayer) Streams() int     { return -1 }
func (classicLayer) Impatience() int  { return -1 }
