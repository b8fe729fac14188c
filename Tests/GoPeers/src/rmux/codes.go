package rmux

import "fmt"

// A Code says why a stream or a connection ended (errors.md).
type Code uint32

const (
	None               Code = 0x00
	ProtocolViolation  Code = 0x01
	FrameSize          Code = 0x02
	FlowControl        Code = 0x03
	StreamState        Code = 0x04
	StreamLimit        Code = 0x05
	ChecksumMismatch   Code = 0x06
	ExcessiveLoad      Code = 0x07
	HandshakeTimeout   Code = 0x08
	HandshakeTooLarge  Code = 0x09
	Silent             Code = 0x0A
	InternalError      Code = 0x0B
	Shutdown           Code = 0x0C
	Displaced          Code = 0x0D
	UnsupportedVersion Code = 0x20
	WrongCluster       Code = 0x21
	WrongServer        Code = 0x22
	SelfConnection     Code = 0x23
	Duplicate          Code = 0x24
	StaleIncarnation   Code = 0x25
	Unauthenticated    Code = 0x26
	Unauthorized       Code = 0x27
	Busy               Code = 0x28
	MalformedHello     Code = 0x29
	Cancelled          Code = 0x40
	DeadlineExceeded   Code = 0x41
	Refused            Code = 0x42
	UnknownClass       Code = 0x43
	UnknownEncoding    Code = 0x44
	UnknownGroup       Code = 0x45
	MalformedMessage   Code = 0x46
	MessageTooLarge    Code = 0x47
	SourceFailed       Code = 0x48
	MalformedChunk     Code = 0x49
	NotNeeded          Code = 0x4A
	HandlerGone        Code = 0x4B
)

var codeNames = map[Code]string{
	None: "none", ProtocolViolation: "protocolViolation", FrameSize: "frameSize", FlowControl: "flowControl",
	StreamState: "streamState", StreamLimit: "streamLimit", ChecksumMismatch: "checksumMismatch",
	ExcessiveLoad: "excessiveLoad", HandshakeTimeout: "handshakeTimeout", HandshakeTooLarge: "handshakeTooLarge",
	Silent: "silent", InternalError: "internalError", Shutdown: "shutdown", Displaced: "displaced",
	UnsupportedVersion: "unsupportedVersion", WrongCluster: "wrongCluster", WrongServer: "wrongServer",
	SelfConnection: "selfConnection", Duplicate: "duplicate", StaleIncarnation: "staleIncarnation",
	Unauthenticated: "unauthenticated", Unauthorized: "unauthorized", Busy: "busy", MalformedHello: "malformedHello",
	Cancelled: "cancelled", DeadlineExceeded: "deadlineExceeded", Refused: "refused", UnknownClass: "unknownClass",
	UnknownEncoding: "unknownEncoding", UnknownGroup: "unknownGroup", MalformedMessage: "malformedMessage",
	MessageTooLarge: "messageTooLarge", SourceFailed: "sourceFailed", MalformedChunk: "malformedChunk",
	NotNeeded: "notNeeded", HandlerGone: "handlerGone",
}

func (c Code) String() string {
	if name, isKnown := codeNames[c]; isKnown {
		return name
	}
	return fmt.Sprintf("unknown code %#x", uint32(c))
}

// An Error ends a stream or a connection.
type Error struct {
	Code Code
	Text string
	// IsRemote says that the peer said so.
	IsRemote bool
}

func (e *Error) Error() string {
	who := "rmux"
	if e.IsRemote {
		who = "rmux: the peer says"
	}
	if e.Text == "" {
		return fmt.Sprintf("%s: %v", who, e.Code)
	}
	return fmt.Sprintf("%s: %v: %q", who, e.Code, e.Text)
}

// Is compares codes.
func (e *Error) Is(other error) bool {
	fault, isOne := other.(*Error)
	return isOne && fault.Code == e.Code
}

func faultf(code Code, format string, arguments ...interface{}) *Error {
	return &Error{Code: code, Text: fmt.Sprintf(format, arguments...)}
}
