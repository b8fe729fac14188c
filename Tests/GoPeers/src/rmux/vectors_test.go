package rmux

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"
)

// load reads a file of Spec/vectors.
func load(t *testing.T, name string, into interface{}) {
	t.Helper()
	bytes, err := os.ReadFile(filepath.Join("../../../../Spec/vectors", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(bytes, into); err != nil {
		t.Fatal(err)
	}
}

type frameVectors struct {
	Valid, Invalid []struct {
		Name                string
		Code                Code
		Hex                 string
		CRC32               bool
		Handshake           bool
		MaximumFramePayload uint32
		Frames              []json.RawMessage
	}
}

// readAll reads frames to the end, and the payloads of those that have one of their own. It gives the frames' bytes
// written again.
func readAll(input io.Reader, hasChecksum, isHandshake bool, maximum uint32) (count int, again []byte, err error) {
	if maximum == 0 {
		maximum = largestPayload
	}
	frames := frameReader{source: input, maximum: maximum, hasChecksum: hasChecksum, isHandshake: isHandshake}
	for {
		h, payload, err := frames.next()
		if err == io.EOF {
			return count, again, nil
		}
		if err == nil {
			err = checkPayload(h, payload)
		}
		if err != nil {
			return count, again, err
		}
		again = appendFrame(again, h, payload, hasChecksum)
		count++
	}
}

func checkPayload(h header, payload []byte) (err error) {
	switch h.kind {
	case typeHello:
		_, err = parseHello(payload)
	case typeAuth:
		// Other methods than none are not agreed on here, but are frames.
		if err = checkAuth(payload); errors.Is(err, faultf(Unauthenticated, "")) {
			err = nil
		}
	case typeWelcome:
		_, err = parseWelcome(payload)
	case typeGoAway:
		_, err = parseGoAway(payload)
	}
	return err
}

func TestFramesAreReadAsTheVectorsSay(t *testing.T) {
	var vectors frameVectors
	load(t, "frames.json", &vectors)
	for _, v := range vectors.Valid {
		raw, _ := hex.DecodeString(v.Hex)
		for _, input := range []io.Reader{bytes.NewReader(raw), iotest.OneByteReader(bytes.NewReader(raw))} {
			count, again, err := readAll(input, v.CRC32, v.Handshake, v.MaximumFramePayload)
			if err != nil || count != len(v.Frames) || !bytes.Equal(again, raw) {
				t.Errorf("%s: %d of %d frames, %v", v.Name, count, len(v.Frames), err)
			}
		}
	}
	for _, v := range vectors.Invalid {
		raw, _ := hex.DecodeString(v.Hex)
		_, _, err := readAll(bytes.NewReader(raw), v.CRC32, v.Handshake, v.MaximumFramePayload)
		var fault *Error
		if !errors.As(err, &fault) || fault.Code != v.Code {
			t.Errorf("%s: %v instead of %v", v.Name, err, v.Code)
		}
	}
	if len(vectors.Valid) == 0 || len(vectors.Invalid) == 0 {
		t.Error("no vectors")
	}
}

func TestChunksAreReadAsTheVectorsSay(t *testing.T) {
	type sequence struct {
		Name, Encoded, Error string
		Size                 uint64
		Plain                json.RawMessage
	}
	var vectors struct{ Valid, Invalid []sequence }
	load(t, "chunks.json", &vectors)
	read := func(v sequence) ([]byte, error) {
		raw, _ := hex.DecodeString(v.Encoded)
		u := &unchunked{source: bufio.NewReader(bytes.NewReader(raw)), size: v.Size, hasRequest: true}
		var plain []byte
		for {
			if err := u.decode(); err != nil {
				return plain, err
			}
			plain = append(plain, u.ready...)
		}
	}
	for _, v := range vectors.Valid {
		plain, err := read(v)
		if err != io.EOF || !bytes.Equal(plain, plainBytes(v.Plain)) {
			t.Errorf("%s: %d bytes, %v", v.Name, len(plain), err)
		}
	}
	for _, v := range vectors.Invalid {
		plain, err := read(v)
		var fault *Error
		if !errors.As(err, &fault) || fault.Code != MalformedChunk {
			t.Errorf("%s: %d bytes, %v instead of %s", v.Name, len(plain), err, v.Error)
		}
	}
	if len(vectors.Valid) == 0 || len(vectors.Invalid) == 0 {
		t.Error("no vectors")
	}
}

// plainBytes are in hexadecimal, or a byte that is repeated.
func plainBytes(raw json.RawMessage) []byte {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		plain, _ := hex.DecodeString(text)
		return plain
	}
	var run struct {
		Repeat string
		Count  int
	}
	json.Unmarshal(raw, &run)
	one, _ := hex.DecodeString(run.Repeat)
	return bytes.Repeat(one, run.Count)
}
