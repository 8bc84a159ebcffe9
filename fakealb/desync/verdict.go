package desync

// Class is how far a request is from RFC 7230, and how dangerous that is.
type Class uint8

// The classes, from the best to the worst (2.6 D).
const (
	Compliant  Class = iota
	Acceptable       // not compliant, but there is one reading of it only
	Ambiguous        // servers are known to read it differently
	Severe           // malformed, or made to be misread
)

var classNames = [...]string{"Compliant", "Acceptable", "Ambiguous", "Severe"}

// String is the name that the access log uses.
func (c Class) String() string { return classNames[c] }

// Reason is why a request is not compliant: a code of field 29 of an ALB's access
// log.
type Reason uint8

// The reasons (2.6 D). Each belongs to one class.
const (
	None Reason = iota
	AmbiguousURI
	BadContentLength
	BadHeader
	BadMethod
	BadTransferEncoding
	BadURI
	BadVersion
	BothTeClPresent
	DuplicateContentLength
	EmptyHeader
	GetHeadZeroContentLength
	MultipleContentLength
	MultipleTransferEncodingChunked
	NonCompliantHeader
	NonCompliantVersion
	SpaceInURI
	SuspiciousHeader
	SuspiciousTeClPresent
	UndefinedContentLengthSemantics
	UndefinedTransferEncodingSemantics
)

var reasons = [...]struct {
	name  string
	class Class
}{
	None:                               {"", Compliant},
	AmbiguousURI:                       {"AmbiguousUri", Ambiguous},
	BadContentLength:                   {"BadContentLength", Severe},
	BadHeader:                          {"BadHeader", Severe},
	BadMethod:                          {"BadMethod", Severe},
	BadTransferEncoding:                {"BadTransferEncoding", Severe},
	BadURI:                             {"BadUri", Severe},
	BadVersion:                         {"BadVersion", Severe},
	BothTeClPresent:                    {"BothTeClPresent", Ambiguous},
	DuplicateContentLength:             {"DuplicateContentLength", Ambiguous},
	EmptyHeader:                        {"EmptyHeader", Ambiguous},
	GetHeadZeroContentLength:           {"GetHeadZeroContentLength", Acceptable},
	MultipleContentLength:              {"MultipleContentLength", Severe},
	MultipleTransferEncodingChunked:    {"MultipleTransferEncodingChunked", Severe},
	NonCompliantHeader:                 {"NonCompliantHeader", Acceptable},
	NonCompliantVersion:                {"NonCompliantVersion", Acceptable},
	SpaceInURI:                         {"SpaceInUri", Acceptable},
	SuspiciousHeader:                   {"SuspiciousHeader", Ambiguous},
	SuspiciousTeClPresent:              {"SuspiciousTeClPresent", Severe},
	UndefinedContentLengthSemantics:    {"UndefinedContentLengthSemantics", Ambiguous},
	UndefinedTransferEncodingSemantics: {"UndefinedTransferEncodingSemantics", Ambiguous},
}

// String is the code in the access log, empty for None.
func (r Reason) String() string { return reasons[r].name }

// Verdict is the class of a request and, unless that is Compliant, the reason.
// Of several reasons it names the worst; of equally bad ones the first that was
// found, header fields before the request line.
type Verdict struct {
	Class  Class
	Reason Reason
}

// worsen takes r as the reason if it is worse than the present one.
func (v *Verdict) worsen(r Reason) {
	if c := reasons[r].class; c > v.Class {
		*v = Verdict{c, r}
	}
}
