package rmux

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
)

const (
	chunkStored = 0
	chunkZlib   = 1
	chunkEnd    = 2
	// Bytes of a chunk before it is encoded.
	largestChunk = 256 << 10
	// The largest InstallSnapshot request without its body.
	largestRequest = 64 << 20
	snapshotType   = 2
)

// An unchunked stream gives the bytes of a stream of the encoding 1 as if it were plain (snapshots.md): the request as
// it is, then the body without chunks.
type unchunked struct {
	*Stream
	source *bufio.Reader
	// ready is what was decoded and not read yet.
	ready []byte
	// held is the last byte that the reader waits for: it comes when the end record is there. Who reads as many bytes as
	// were announced would else take a body without its end for a whole one (R-SNAP-11).
	held []byte
	// size is what the request has announced, total what the chunks have held until now.
	size, total uint64
	hasRequest  bool
	// isComplete says that the end record has come, and nothing behind it.
	isComplete bool
	failure    error
}

func newUnchunked(stream *Stream) *unchunked {
	return &unchunked{Stream: stream, source: bufio.NewReader(stream)}
}

func (u *unchunked) Read(into []byte) (int, error) {
	for len(u.ready) == 0 {
		if u.failure != nil {
			return 0, u.failure
		}
		if err := u.decode(); err != nil {
			u.failure = err
			if fault, isOwn := err.(*Error); isOwn && !fault.IsRemote {
				u.conn.mutex.Lock()
				u.stop(fault.Code)
				u.conn.mutex.Unlock()
			}
		}
	}
	count := copy(into, u.ready)
	u.ready = u.ready[count:]
	return count, nil
}

// decode makes more bytes ready; io.EOF is the end of the stream where it has to be.
func (u *unchunked) decode() (err error) {
	if u.isComplete {
		return io.EOF
	}
	if !u.hasRequest {
		u.hasRequest = true
		request, size, err := readSnapshotRequest(u.source)
		u.size = size
		u.give(request)
		return err
	}
	var head [9]byte
	if _, err := io.ReadFull(u.source, head[:]); err != nil {
		return truncated(err)
	}
	raw, encoded := binary.BigEndian.Uint32(head[1:]), binary.BigEndian.Uint32(head[5:])
	if err := u.checkHead(head[0], raw, encoded); err != nil {
		return err
	}
	bytes := make([]byte, encoded)
	if _, err := io.ReadFull(u.source, bytes); err != nil {
		return truncated(err)
	}
	switch head[0] {
	case chunkEnd:
		if total := binary.BigEndian.Uint64(bytes); total != u.total || total != u.size {
			return faultf(MalformedChunk, "the end says %d of %d bytes, %d came", total, u.size, u.total)
		}
		if _, err := u.source.ReadByte(); err != io.EOF {
			if err == nil {
				err = faultf(MalformedChunk, "dataAfterEnd")
			}
			return err
		}
		u.ready, u.held = u.held, nil
		u.isComplete = true
		return nil
	case chunkZlib:
		if bytes, err = inflate(bytes, int(raw)); err != nil {
			return err
		}
	}
	u.total += uint64(raw)
	u.give(bytes)
	return nil
}

// give makes bytes ready, all but the last one of the body.
func (u *unchunked) give(bytes []byte) {
	if last := len(bytes) - 1; u.total == u.size && last >= 0 {
		bytes, u.held = bytes[:last], bytes[last:]
	}
	u.ready = bytes
}

func (u *unchunked) checkHead(method byte, raw, encoded uint32) error {
	name := ""
	switch {
	case method > chunkEnd:
		name = "unknownMethod"
	case method != chunkEnd && (raw == 0 || raw > largestChunk):
		name = "invalidRawLength"
	case method == chunkEnd && (raw != 0 || encoded != 8):
		name = "invalidEndRecord"
	case method == chunkStored && encoded != raw || method == chunkZlib && encoded == 0:
		name = "invalidEncodedLength"
	case method == chunkZlib && encoded >= raw:
		name = "notSmaller"
	case u.total+uint64(raw) > u.size:
		name = "sizeExceeded"
	default:
		return nil
	}
	return faultf(MalformedChunk, "%s", name)
}

func inflate(encoded []byte, size int) ([]byte, error) {
	input := bytes.NewReader(encoded)
	decoder, err := zlib.NewReader(input)
	if err != nil {
		return nil, faultf(MalformedChunk, "%v", err)
	}
	plain := make([]byte, size)
	if _, err := io.ReadFull(decoder, plain); err != nil {
		return nil, faultf(MalformedChunk, "%v", err)
	}
	// The end shows whether there is more, and checks the sum.
	if count, err := decoder.Read(make([]byte, 1)); count != 0 || err != io.EOF {
		return nil, faultf(MalformedChunk, "outputTooLong or a wrong sum: %v", err)
	}
	if input.Len() > 0 {
		return nil, faultf(MalformedChunk, "trailingInput")
	}
	return plain, nil
}

func truncated(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return faultf(MalformedChunk, "truncated")
	}
	return err
}

// readSnapshotRequest reads the type byte and the object of an InstallSnapshot request, and finds its Size.
func readSnapshotRequest(source *bufio.Reader) (request []byte, size uint64, err error) {
	r := &objectReader{source: source}
	kind, err := r.byte()
	if err != nil {
		return nil, 0, err
	}
	if kind != snapshotType {
		return nil, 0, faultf(MalformedMessage, "a request of type %d in chunks", kind)
	}
	fields, err := r.mapHeader()
	if err != nil {
		return nil, 0, err
	}
	for ; fields > 0; fields-- {
		start := len(r.seen)
		if err := r.skip(); err != nil {
			return nil, 0, err
		}
		key, start := string(r.seen[start:]), len(r.seen)
		if err := r.skip(); err != nil {
			return nil, 0, err
		}
		if key == "\xA4Size" {
			size = integer(r.seen[start:])
		}
	}
	return r.seen, size, nil
}

// An objectReader finds the ends of MessagePack objects and keeps their bytes.
type objectReader struct {
	source *bufio.Reader
	seen   []byte
}

func (r *objectReader) byte() (byte, error) {
	b, err := r.source.ReadByte()
	if err == nil {
		r.seen = append(r.seen, b)
	}
	return b, err
}

// number reads so many bytes of an integer.
func (r *objectReader) number(size int) (uint64, error) {
	value := uint64(0)
	for ; size > 0; size-- {
		b, err := r.byte()
		if err != nil {
			return 0, err
		}
		value = value<<8 | uint64(b)
	}
	return value, nil
}

func (r *objectReader) mapHeader() (uint64, error) {
	b, err := r.byte()
	switch {
	case err != nil:
		return 0, err
	case b&0xF0 == 0x80:
		return uint64(b & 0x0F), nil
	case b == 0xDE:
		return r.number(2)
	case b == 0xDF:
		return r.number(4)
	}
	return 0, faultf(MalformedMessage, "a request that starts with %#x", b)
}

// skip reads one object, whatever it is, without recursion.
func (r *objectReader) skip() error {
	for pending := uint64(1); pending > 0; pending-- {
		if len(r.seen) > largestRequest || pending > largestRequest {
			return faultf(MessageTooLarge, "a request of more than %d bytes", largestRequest)
		}
		b, err := r.byte()
		if err != nil {
			return err
		}
		bytes, objects, err := r.extent(b)
		if err != nil {
			return err
		}
		pending += objects
		for ; bytes > 0; bytes-- {
			if len(r.seen) > largestRequest {
				break
			}
			if _, err := r.byte(); err != nil {
				return err
			}
		}
	}
	return nil
}

// extent says how many bytes and objects follow the first byte of an object and its length.
func (r *objectReader) extent(b byte) (bytes, objects uint64, err error) {
	switch {
	case b < 0x80 || b >= 0xE0 || b == 0xC0 || b == 0xC2 || b == 0xC3:
		return 0, 0, nil
	case b < 0x90:
		return 0, 2 * uint64(b&0x0F), nil
	case b < 0xA0:
		return 0, uint64(b & 0x0F), nil
	case b < 0xC0:
		return uint64(b & 0x1F), 0, nil
	case b >= 0xC4 && b <= 0xC6:
		bytes, err = r.number(1 << (b - 0xC4))
		return bytes, 0, err
	case b >= 0xC7 && b <= 0xC9:
		bytes, err = r.number(1 << (b - 0xC7))
		return bytes + 1, 0, err
	case b == 0xCA:
		return 4, 0, nil
	case b == 0xCB:
		return 8, 0, nil
	case b >= 0xCC && b <= 0xCF:
		return 1 << (b - 0xCC), 0, nil
	case b >= 0xD0 && b <= 0xD3:
		return 1 << (b - 0xD0), 0, nil
	case b >= 0xD4 && b <= 0xD8:
		return 1 + 1<<(b-0xD4), 0, nil
	case b >= 0xD9 && b <= 0xDB:
		bytes, err = r.number(1 << (b - 0xD9))
		return bytes, 0, err
	case b == 0xDC || b == 0xDD:
		objects, err = r.number(2 << (b - 0xDC))
		return 0, objects, err
	case b == 0xDE || b == 0xDF:
		objects, err = r.number(2 << (b - 0xDE))
		return 0, 2 * objects, err
	}
	return 0, 0, faultf(MalformedMessage, "byte %#x", b)
}

// integer is the value of an integer's bytes; what is negative or none counts as 0.
func integer(object []byte) uint64 {
	first := object[0]
	if first < 0x80 {
		return uint64(first)
	}
	if first < 0xCC || first > 0xD3 {
		return 0
	}
	if first >= 0xD0 && object[1] >= 0x80 {
		return 0
	}
	value := uint64(0)
	for _, b := range object[1:] {
		value = value<<8 | uint64(b)
	}
	if value > 1<<63-1 {
		return 0
	}
	return value
}
