package rmux

import (
	"crypto/rand"
	"io"
	"net"
	"time"
)

const handshakeTime = 5 * time.Second

// A greeting is what a handshake has found out.
type greeting struct {
	isDialler bool
	own, peer hello
	// hasRoute says that the acceptor will use the connection for its own calls.
	hasRoute bool
}

// diallerNonce names the connection (handshake.md, arbitration).
func (g greeting) diallerNonce() nonce {
	if g.isDialler {
		return g.own.nonce
	}
	return g.peer.nonce
}

func (g greeting) hasChecksum() bool { return g.own.features&g.peer.features&featureChecksum != 0 }

// A refusal is what the peer's WELCOME said.
type refusal struct {
	reason *Error
	winner *nonce
}

func (r refusal) Error() string { return r.reason.Error() }
func (r refusal) Unwrap() error { return r.reason }

// A judge decides, when the peer's AUTH was verified, which WELCOME it gets.
type judge func(g greeting) welcome

// A handshaker takes a new transport connection as far as both WELCOMEs.
type handshaker struct {
	socket net.Conn
	greeting
	judge judge
	// received counts the bytes of the peer's handshake.
	received int
	// What was done already: the peer's preface was read, preface and HELLO were sent, an accepting WELCOME was sent.
	hasPreface, hasGreeted, hasWelcomed bool
	output                              []byte
}

// greet performs the handshake. On an error the connection was refused where that is possible, and is closed.
func greet(socket net.Conn, own hello, isDialler bool, judge judge) (greeting, error) {
	if _, err := rand.Read(own.nonce[:]); err != nil {
		socket.Close()
		return greeting{}, err
	}
	h := &handshaker{socket: socket, greeting: greeting{isDialler: isDialler, own: own}, judge: judge}
	socket.SetDeadline(time.Now().Add(handshakeTime))
	err := h.run()
	if err == nil {
		socket.SetDeadline(time.Time{})
		return h.greeting, nil
	}
	if timeout, isNet := err.(net.Error); isNet && timeout.Timeout() {
		err = faultf(HandshakeTimeout, "no handshake within %v", handshakeTime)
	}
	if fault, isOwn := err.(*Error); isOwn && !fault.IsRemote {
		h.refuse(welcome{code: fault.Code, text: fault.Text})
	}
	finish(socket)
	return h.greeting, err
}

func (h *handshaker) run() error {
	if h.isDialler {
		h.queuePrefaceAndHello()
		if err := h.flush(); err != nil {
			return err
		}
	}
	if err := h.readPreface(); err != nil {
		return err
	}
	if err := h.readHello(); err != nil {
		return err
	}
	h.queue(typeAuth, []byte{authMethodNone})
	if err := h.flush(); err != nil {
		return err
	}
	if err := h.readAuth(); err != nil {
		return err
	}
	verdict := h.judge(h.greeting)
	if verdict.code != None {
		h.refuse(verdict)
		return &Error{Code: verdict.code, Text: "refused here: " + verdict.text, IsRemote: true}
	}
	h.queue(typeWelcome, verdict.payload())
	if err := h.flush(); err != nil {
		return err
	}
	h.hasWelcomed = true
	if !h.isDialler {
		h.hasRoute = verdict.route
	}
	return h.readWelcome()
}

func (h *handshaker) queuePrefaceAndHello() {
	h.hasGreeted = true
	h.output = append(h.output, preface[:]...)
	h.queue(typeHello, h.own.payload())
}

func (h *handshaker) queue(kind frameType, payload []byte) {
	h.output = appendFrame(h.output, header{kind: kind}, payload, false)
}

func (h *handshaker) flush() error {
	_, err := h.socket.Write(h.output)
	h.output = h.output[:0]
	return err
}

// refuse says why not: in WELCOME, or in GOAWAY where WELCOME was sent already (R-HSK-29).
func (h *handshaker) refuse(verdict welcome) {
	h.socket.SetDeadline(time.Now().Add(time.Second))
	if h.hasWelcomed {
		h.queue(typeGoAway, goAway{code: verdict.code, text: verdict.text}.payload())
	} else {
		if !h.hasGreeted && !h.hasPreface {
			// Whoever that is, it gets no byte in answer (R-FRM-2).
			return
		}
		if !h.hasGreeted {
			h.queuePrefaceAndHello()
		}
		h.queue(typeWelcome, verdict.payload())
	}
	h.flush()
}

// readPreface looks at each byte as it comes.
func (h *handshaker) readPreface() error {
	for _, expected := range preface {
		got, err := h.read(1)
		if err != nil {
			return err
		}
		if got[0] != expected {
			return &Error{Code: ProtocolViolation, Text: "the peer does not speak RMUX", IsRemote: true}
		}
	}
	h.hasPreface = true
	return nil
}

func (h *handshaker) readHello() error {
	frame, payload, err := h.readFrame()
	if err != nil {
		return err
	}
	if frame.kind != typeHello {
		return faultf(ProtocolViolation, "a frame of type %#x in the place of HELLO", byte(frame.kind))
	}
	if !h.isDialler {
		// Also one who is refused gets to know who refuses (R-HSK-3).
		h.queuePrefaceAndHello()
	}
	if h.peer, err = parseHello(payload); err != nil {
		return err
	}
	return h.agree()
}

// agree looks for reasons to refuse, in the order of R-HSK-46.
func (h *handshaker) agree() error {
	own, peer := h.own, h.peer
	switch {
	case peer.cluster != own.cluster:
		return faultf(WrongCluster, "this is the cluster %q", own.cluster)
	case peer.server == own.server || peer.nonce == own.nonce:
		return faultf(SelfConnection, "this is %q itself", own.server)
	case !h.isDialler && peer.target != "" && peer.target != own.server:
		return faultf(WrongServer, "this is %q", own.server)
	case h.isDialler && own.target != "" && own.target != peer.server:
		return faultf(WrongServer, "%q was wanted", own.target)
	case peer.minimumVersion > protocolVersion:
		return faultf(UnsupportedVersion, "this is version %d", protocolVersion)
	case peer.methods&own.methods&methodNone == 0:
		return faultf(Unauthenticated, "no authentication method in common")
	}
	return nil
}

func (h *handshaker) readAuth() error {
	frame, payload, err := h.readFrame()
	if err != nil {
		return err
	}
	switch frame.kind {
	case typeWelcome:
		return h.refusedBy(payload)
	case typeAuth:
	default:
		return faultf(ProtocolViolation, "a frame of type %#x in the place of AUTH", byte(frame.kind))
	}
	return checkAuth(payload)
}

// checkAuth looks at the method and the proof of AUTH where method none was agreed on.
func checkAuth(payload []byte) error {
	method, proof := payload[0], payload[1:]
	if method <= authMethodTLS && len(proof) > 0 {
		return faultf(ProtocolViolation, "a proof with method %d", method)
	}
	if method != authMethodNone {
		return faultf(Unauthenticated, "method %d was not agreed on", method)
	}
	return nil
}

func (h *handshaker) readWelcome() error {
	frame, payload, err := h.readFrame()
	if err != nil {
		return err
	}
	if frame.kind != typeWelcome {
		return faultf(ProtocolViolation, "a frame of type %#x in the place of WELCOME", byte(frame.kind))
	}
	verdict, err := parseWelcome(payload)
	if err != nil {
		return err
	}
	if verdict.code != None {
		return refusal{&Error{Code: verdict.code, Text: verdict.text, IsRemote: true}, verdict.winner}
	}
	if h.isDialler {
		h.hasRoute = verdict.route
	}
	return nil
}

// refusedBy reads a WELCOME in the place of AUTH, which can only be a refusal.
func (h *handshaker) refusedBy(payload []byte) error {
	verdict, err := parseWelcome(payload)
	if err != nil {
		return err
	}
	if verdict.code == None {
		return faultf(ProtocolViolation, "WELCOME before AUTH")
	}
	return refusal{&Error{Code: verdict.code, Text: verdict.text, IsRemote: true}, verdict.winner}
}

func (h *handshaker) readFrame() (header, []byte, error) {
	raw, err := h.read(headerSize)
	if err != nil {
		return header{}, nil, err
	}
	frame := parseHeader(raw)
	if err := frame.checkInHandshake(handshakeBytes - h.received); err != nil {
		return frame, nil, err
	}
	payload, err := h.read(int(frame.length))
	return frame, payload, err
}

// checkInHandshake is check with the handshake's own sizes; room is what the handshake may still have.
func (h header) checkInHandshake(room int) error {
	if uint64(h.length) > uint64(room) {
		return faultf(HandshakeTooLarge, "more than %d bytes", handshakeBytes)
	}
	isRight := true
	switch h.kind {
	case typeHello:
		isRight = h.length <= largestHello
	case typeAuth:
		isRight = h.length >= 1 && h.length <= 1+largestProof
	case typeWelcome:
		isRight = h.length >= welcomeFixedSize && h.length <= welcomeFixedSize+nonceSize+largestText
	}
	if !isRight {
		return faultf(FrameSize, "%d bytes in a frame of type %#x", h.length, byte(h.kind))
	}
	return h.check(handshakeBytes)
}

func (h *handshaker) read(count int) ([]byte, error) {
	h.received += count
	if h.received > handshakeBytes {
		return nil, faultf(HandshakeTooLarge, "more than %d bytes", handshakeBytes)
	}
	b := make([]byte, count)
	_, err := io.ReadFull(h.socket, b)
	return b, err
}

// finish half-closes, reads to the end for a bounded time, so that the last frame is not lost by a reset, and closes.
func finish(socket net.Conn) {
	type halfCloser interface{ CloseWrite() error }
	if half, isOne := socket.(halfCloser); isOne {
		half.CloseWrite()
	}
	socket.SetReadDeadline(time.Now().Add(time.Second))
	go func() {
		io.CopyN(io.Discard, socket, 16<<20)
		socket.Close()
	}()
}
