package rmux

import (
	"encoding/binary"
	"hash/crc32"
	"io"
)

// The bytes that start each direction (framing.md).
var preface = [8]byte{0xAC, 0x52, 0x4D, 0x58, 0x0D, 0x0A, 0x1A, 0x0A}

type frameType byte

const (
	typeHello   frameType = 0x01
	typeAuth    frameType = 0x02
	typeWelcome frameType = 0x03
	typeData    frameType = 0x10
	typeCredit  frameType = 0x11
	typeReset   frameType = 0x12
	typeStop    frameType = 0x13
	typeStreams frameType = 0x14
	typePing    frameType = 0x20
	typePong    frameType = 0x21
	typeGoAway  frameType = 0x22
	// From here on types are skipped.
	firstIgnorable frameType = 0x80
)

const (
	flagOpen = 0x01
	flagFin  = 0x02
	flagMore = 0x04
	allFlags = flagOpen | flagFin | flagMore
)

// A Class decides the order of streams (streams.md).
type Class byte

const (
	Election Class = 1
	Append   Class = 2
	Snapshot Class = 3
	classes        = 4
)

func (c Class) isKnown() bool { return c >= Election && c <= Snapshot }

const (
	encodingPlain   = 0
	encodingChunked = 1
)

const (
	headerSize        = 16
	checksumSize      = 4
	groupSize         = 8
	largestPayload    = 65536
	largestText       = 512
	largestIgnorable  = 4096
	goAwayFixedLength = 14
)

type header struct {
	kind     frameType
	flags    byte
	class    byte
	encoding byte
	length   uint32
	stream   uint64
}

func (h header) append(to []byte) []byte {
	to = append(to, byte(h.kind), h.flags, h.class, h.encoding)
	to = binary.BigEndian.AppendUint32(to, h.length)
	return binary.BigEndian.AppendUint64(to, h.stream)
}

func parseHeader(b []byte) header {
	return header{
		kind: frameType(b[0]), flags: b[1], class: b[2], encoding: b[3],
		length: binary.BigEndian.Uint32(b[4:]), stream: binary.BigEndian.Uint64(b[8:]),
	}
}

// appendFrame writes a whole frame; the header's length is that of the payload.
func appendFrame(to []byte, h header, payload []byte, hasChecksum bool) []byte {
	start := len(to)
	h.length = uint32(len(payload))
	to = h.append(to)
	to = append(to, payload...)
	if hasChecksum {
		to = binary.BigEndian.AppendUint32(to, crc32.ChecksumIEEE(to[start:]))
	}
	return to
}

// check finds what is wrong with a header by itself: rules R-FRM-6 to R-FRM-25.
func (h header) check(maximum uint32) error {
	if h.length > maximum {
		return faultf(FrameSize, "%d bytes in a frame of type %#x", h.length, byte(h.kind))
	}
	if h.kind >= firstIgnorable {
		if h.length > largestIgnorable {
			return faultf(ExcessiveLoad, "an ignorable frame of %d bytes", h.length)
		}
		return nil
	}
	if h.kind != typeData && h.flags != 0 || h.flags&^byte(allFlags) != 0 {
		return faultf(ProtocolViolation, "flags %#x in a frame of type %#x", h.flags, byte(h.kind))
	}
	isOpening := h.kind == typeData && h.flags&flagOpen != 0
	if h.class != 0 && !isOpening && h.kind != typeStreams {
		return faultf(ProtocolViolation, "class %d in a frame of type %#x", h.class, byte(h.kind))
	}
	if h.encoding != 0 && !isOpening {
		return faultf(ProtocolViolation, "encoding %d in a frame of type %#x", h.encoding, byte(h.kind))
	}
	switch h.kind {
	case typeHello, typeAuth, typeWelcome, typeStreams, typePing, typePong, typeGoAway:
		if h.stream != 0 {
			return faultf(ProtocolViolation, "stream %d in a frame of type %#x", h.stream, byte(h.kind))
		}
	case typeData, typeCredit, typeReset, typeStop:
		if h.stream == 0 {
			return faultf(ProtocolViolation, "no stream in a frame of type %#x", byte(h.kind))
		}
	default:
		return faultf(ProtocolViolation, "a frame of type %#x", byte(h.kind))
	}
	isRight := true
	switch h.kind {
	case typeCredit, typeStreams, typePing, typePong:
		isRight = h.length == 8
	case typeReset, typeStop:
		isRight = h.length == 4
	case typeGoAway:
		isRight = h.length >= goAwayFixedLength && h.length <= goAwayFixedLength+largestText
	case typeData:
		isRight = !isOpening || h.length >= groupSize
	}
	if !isRight {
		return faultf(FrameSize, "%d bytes in a frame of type %#x", h.length, byte(h.kind))
	}
	if h.kind == typeStreams && !Class(h.class).isKnown() {
		return faultf(ProtocolViolation, "stream credit for class %d", h.class)
	}
	return nil
}

// A frameReader takes frames off a connection.
type frameReader struct {
	source      io.Reader
	maximum     uint32
	hasChecksum bool
	// isHandshake says that the handshake's own sizes count; else its frames are out of place.
	isHandshake bool
	buffer      []byte
}

// next gives a frame; its payload is valid until the next call.
func (r *frameReader) next() (header, []byte, error) {
	if r.buffer == nil {
		r.buffer = make([]byte, headerSize+int(r.maximum)+checksumSize)
	}
	if _, err := io.ReadFull(r.source, r.buffer[:headerSize]); err != nil {
		return header{}, nil, err
	}
	h := parseHeader(r.buffer)
	var err error
	if r.isHandshake {
		err = h.checkInHandshake(handshakeBytes - len(preface) - headerSize)
	} else {
		err = h.check(r.maximum)
	}
	if err != nil {
		return h, nil, err
	}
	end := headerSize + int(h.length)
	size := end
	if r.hasChecksum {
		size += checksumSize
	}
	if _, err := io.ReadFull(r.source, r.buffer[headerSize:size]); err != nil {
		return h, nil, err
	}
	if r.hasChecksum {
		if binary.BigEndian.Uint32(r.buffer[end:]) != crc32.ChecksumIEEE(r.buffer[:end]) {
			return h, nil, faultf(ChecksumMismatch, "a frame of type %#x", byte(h.kind))
		}
	}
	return h, r.buffer[headerSize:end], nil
}
