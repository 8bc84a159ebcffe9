package desync

import "bytes"

// header judges one header line, and notes in f what it says about the body.
func (v *Verdict) header(f *framing, line []byte) {
	name, value, found := bytes.Cut(line, []byte(":"))
	bad, odd := valueChars(value)
	plain := true
	for _, c := range name {
		if !tokenChars[c] {
			plain = false
			bad = bad || c == 0 || c == '\r' || c == '\n'
		}
	}
	essential := resembles(name)
	above := f.above
	f.above = None
	switch {
	case bad:
		v.worsen(BadHeader)
	case above != None && (line[0] == ' ' || line[0] == '\t'):
		// To those who know continuations this one changes the length of the body.
		v.worsen(above)
	case essential == isTransferEncoding:
		f.transferEncoding(v, name, value)
	case essential == isContentLength:
		f.contentLength(v, name, value)
	case len(bytes.Trim(name, " \t")) == 0 || !found:
		// AWS's library has the class Ambiguous for a line without a colon; which
		// of the log's reasons goes with it is a guess (G).
		v.worsen(EmptyHeader)
	case name[0] == ' ' || name[0] == '\t':
		// A continuation of the line above, to those who know such lines. The
		// class is that of AWS's library; the reason is a guess (G).
		v.worsen(SuspiciousHeader)
	case !plain || odd:
		v.worsen(NonCompliantHeader)
	}
}

// valueChars reports whether a field's value has a character that ends a line or
// a string for some, and whether it has another control character. Bytes from
// 0x80 on are obs-text.
func valueChars(value []byte) (bad, odd bool) {
	for _, c := range value {
		if c >= ' ' && c != 0x7f || c == '\t' {
			continue
		}
		if c == 0 || c == '\r' || c == '\n' {
			return true, true
		}
		odd = true
	}
	return false, odd
}

// framing gathers what the fields of a head say about the length of the body.
type framing struct {
	bodyless bool // a method for which RFC 7231 defines no body
	version  []byte

	encodings, lengths int // lines of each field
	chunked            int // how often chunked is named
	length             uint64
	beyondSpace        bool // one of the names is disguised, by more than white space around it
	// above is what a continuation of the line above would be: None, unless that
	// line is one of the two fields.
	above Reason
}

// transferEncoding takes a field that is Transfer-Encoding to somebody.
func (f *framing) transferEncoding(v *Verdict, name, value []byte) {
	f.encodings++
	f.suspect(v, name, "transfer-encoding", BadTransferEncoding)
	for more := true; more; {
		var coding []byte
		coding, value, more = bytes.Cut(value, []byte(","))
		coding, _, _ = bytes.Cut(coding, []byte(";"))
		switch coding = bytes.Trim(coding, " \t"); {
		case equalFold(coding, "chunked"):
			if f.chunked++; f.chunked > 1 {
				v.worsen(MultipleTransferEncodingChunked)
			}
		case equalFold(coding, "gzip"), equalFold(coding, "x-gzip"), equalFold(coding, "deflate"),
			equalFold(coding, "compress"), equalFold(coding, "x-compress"), equalFold(coding, "identity"):
		default:
			v.worsen(BadTransferEncoding)
		}
	}
}

// contentLength takes a field that is Content-Length to somebody.
func (f *framing) contentLength(v *Verdict, name, value []byte) {
	n, ok := decimal(bytes.Trim(value, " \t"))
	switch {
	case !ok:
		v.worsen(BadContentLength)
	case f.lengths > 0 && n != f.length:
		v.worsen(MultipleContentLength)
	case f.lengths > 0:
		v.worsen(DuplicateContentLength)
	}
	f.lengths++
	f.length = n
	f.suspect(v, name, "content-length", BadContentLength)
}

// suspect notes a name that is not written as want is. Bad is what a continuation
// makes of the field.
func (f *framing) suspect(v *Verdict, name []byte, want string, bad Reason) {
	if equalFold(name, want) {
		f.above = bad
		return
	}
	f.beyondSpace = f.beyondSpace || !equalFold(bytes.Trim(name, " \t"), want)
	v.worsen(SuspiciousHeader)
}

// judge looks at the fields together.
func (f *framing) judge(v *Verdict) {
	simple := len(f.version) == 0 || bytes.HasPrefix(f.version, []byte("HTTP/0.9"))
	both := f.encodings > 0 && f.lengths > 0
	if both && f.beyondSpace {
		// The guide calls it severe if one of the two is suspicious; AWS's published
		// cases have a name with white space around it as ambiguous all the same.
		v.worsen(SuspiciousTeClPresent)
	}
	if f.encodings > 0 && (f.bodyless || simple || bytes.HasPrefix(f.version, []byte("HTTP/1.0"))) {
		v.worsen(UndefinedTransferEncodingSemantics)
	}
	if both {
		v.worsen(BothTeClPresent)
	}
	if f.lengths > 0 {
		switch {
		case simple || f.bodyless && f.length > 0:
			v.worsen(UndefinedContentLengthSemantics)
		case f.bodyless:
			v.worsen(GetHeadZeroContentLength)
		}
	}
}

// decimal reads a number of 64 bits without a sign.
func decimal(b []byte) (n uint64, ok bool) {
	for _, c := range b {
		if !isDigit(c) {
			return 0, false
		}
		next := n*10 + uint64(c-'0')
		if n > (1<<64-1)/10 || next < n*10 {
			return 0, false
		}
		n = next
	}
	return n, len(b) > 0
}
