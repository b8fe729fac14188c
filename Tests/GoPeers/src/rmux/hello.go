package rmux

import (
	"encoding/binary"
	"unicode/utf8"
)

const (
	protocolVersion   = 1
	featureChecksum   = 1 << 0
	methodNone        = 1 << 0
	authMethodNone    = 0
	authMethodTLS     = 1
	largestHello      = 3072
	largestProof      = 256
	handshakeBytes    = 4096
	largestIdentifier = 255
	fixedHelloSize    = 60
	welcomeFixedSize  = 8
	nonceSize         = 16
	routeFlag         = 0x01
)

type nonce [nonceSize]byte

// A hello says who somebody is and what they offer (handshake.md).
type hello struct {
	minimumVersion, maximumVersion uint16
	features                       uint64
	methods                        uint32
	maximumPayload                 uint32
	initialWindow                  uint32
	// Streams of the classes 1 to 3.
	streams     [classes]uint32
	incarnation uint64
	nonce       nonce
	cluster     string
	server      string
	address     string
	target      string
}

func (h hello) payload() []byte {
	b := binary.BigEndian.AppendUint16(nil, h.minimumVersion)
	b = binary.BigEndian.AppendUint16(b, h.maximumVersion)
	b = binary.BigEndian.AppendUint64(b, h.features)
	b = binary.BigEndian.AppendUint32(b, h.methods)
	b = binary.BigEndian.AppendUint32(b, h.maximumPayload)
	b = binary.BigEndian.AppendUint32(b, h.initialWindow)
	for class := Election; class <= Snapshot; class++ {
		b = binary.BigEndian.AppendUint32(b, h.streams[class])
	}
	b = binary.BigEndian.AppendUint64(b, h.incarnation)
	b = append(b, h.nonce[:]...)
	for _, text := range []string{h.cluster, h.server, h.address, h.target} {
		b = binary.BigEndian.AppendUint16(b, uint16(len(text)))
		b = append(b, text...)
	}
	return b
}

// parseHello reads what anybody may have sent; every fault is a malformedHello (R-HSK-4).
func parseHello(b []byte) (hello, error) {
	var h hello
	if len(b) < fixedHelloSize {
		return h, faultf(MalformedHello, "%d bytes", len(b))
	}
	h.minimumVersion = binary.BigEndian.Uint16(b)
	h.maximumVersion = binary.BigEndian.Uint16(b[2:])
	h.features = binary.BigEndian.Uint64(b[4:])
	h.methods = binary.BigEndian.Uint32(b[12:])
	h.maximumPayload = binary.BigEndian.Uint32(b[16:])
	h.initialWindow = binary.BigEndian.Uint32(b[20:])
	for class := Election; class <= Snapshot; class++ {
		h.streams[class] = binary.BigEndian.Uint32(b[20+4*int(class):])
	}
	h.incarnation = binary.BigEndian.Uint64(b[36:])
	copy(h.nonce[:], b[44:])
	b = b[fixedHelloSize:]
	texts := []struct {
		into  *string
		name  string
		least int
	}{
		{&h.cluster, "cluster ID", 1}, {&h.server, "server ID", 1}, {&h.address, "advertised address", 0},
		{&h.target, "target server ID", 0},
	}
	for _, text := range texts {
		value, rest, isWhole := takeSized(b)
		if !isWhole || len(value) < text.least || len(value) > largestIdentifier || !utf8.Valid(value) {
			return h, faultf(MalformedHello, "%s", text.name)
		}
		*text.into, b = string(value), rest
	}
	for len(b) > 0 {
		if len(b) < 2 {
			return h, faultf(MalformedHello, "extension")
		}
		_, rest, isWhole := takeSized(b[2:])
		if !isWhole {
			return h, faultf(MalformedHello, "extension")
		}
		b = rest
	}
	switch {
	case h.minimumVersion < 1 || h.maximumVersion < h.minimumVersion:
		return h, faultf(MalformedHello, "versions %d to %d", h.minimumVersion, h.maximumVersion)
	case h.maximumPayload < 4096 || h.maximumPayload > largestPayload:
		return h, faultf(MalformedHello, "maximum frame payload %d", h.maximumPayload)
	case h.initialWindow < 16384 || h.initialWindow > 64<<20:
		return h, faultf(MalformedHello, "initial window %d", h.initialWindow)
	}
	return h, nil
}

// takeSized takes a length of two bytes and that many bytes.
func takeSized(b []byte) (value, rest []byte, isWhole bool) {
	if len(b) < 2 {
		return nil, nil, false
	}
	size := int(binary.BigEndian.Uint16(b))
	if len(b) < 2+size {
		return nil, nil, false
	}
	return b[2 : 2+size], b[2+size:], true
}

// A welcome is a verdict.
type welcome struct {
	code   Code
	route  bool
	winner *nonce
	text   string
}

func (w welcome) payload() []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(w.code))
	var flags, hasWinner byte
	if w.route {
		flags = routeFlag
	}
	if w.winner != nil {
		hasWinner = 1
	}
	b = append(b, flags, hasWinner)
	if w.winner != nil {
		b = append(b, w.winner[:]...)
	}
	text := shortened(w.text)
	b = binary.BigEndian.AppendUint16(b, uint16(len(text)))
	return append(b, text...)
}

func parseWelcome(b []byte) (welcome, error) {
	wrong := faultf(ProtocolViolation, "a WELCOME of %d bytes", len(b))
	if len(b) < welcomeFixedSize {
		return welcome{}, wrong
	}
	w := welcome{code: Code(binary.BigEndian.Uint32(b)), route: b[4]&routeFlag != 0}
	hasWinner := b[5]
	b = b[6:]
	switch {
	case hasWinner == 1 && len(b) >= nonceSize:
		w.winner = new(nonce)
		copy(w.winner[:], b)
		b = b[nonceSize:]
	case hasWinner != 0:
		return welcome{}, wrong
	}
	text, rest, isWhole := takeSized(b)
	if !isWhole || len(rest) > 0 || len(text) > largestText {
		return welcome{}, wrong
	}
	w.text = string(text)
	return w, nil
}

// shortened makes a text fit, without cutting a character into two.
func shortened(text string) string {
	for len(text) > largestText {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text
}
