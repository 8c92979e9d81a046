package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// SyntaxError says where text stops being JSON that is taken here.
type SyntaxError struct {
	// Offset counts the bytes before the place.
	Offset int64
	// Message says what is wrong there; it never repeats the client's text.
	Message string
}

// Error is the text Crossbar's clients know the shape of: a reason and a place.
func (e *SyntaxError) Error() string { return fmt.Sprintf("%s around %d", e.Message, e.Offset) }

// The bounds on what a value may cost those who read it: walks go as deep as it is nested, and exact arithmetic
// on a number, as JSON Schema needs, takes as much as its exponent says. Every double has a spelling within them. What is
// stored is walked less, and encoding/json bounds it already.
const (
	maxDepth    = 512
	maxStored   = 10_000
	maxNumber   = 400
	maxExponent = 400
)

// token returns the next token.
func (r *reader) token() json.Token {
	if r.err != nil {
		return nil
	}
	token, err := r.tokens.Token()
	if err != nil {
		r.err = r.refused(err)
		return nil
	}
	r.bound(token)
	return token
}

// bound fails where token, just read, goes beyond the bounds.
func (r *reader) bound(token json.Token) {
	end := r.tokens.InputOffset()
	switch t := token.(type) {
	case json.Number:
		if !bearable(t.String()) {
			r.err = &SyntaxError{end - int64(len(t)), "number out of range"}
		}
	case json.Delim:
		if t == '}' || t == ']' {
			r.depth--
		} else if r.depth++; r.depth > r.maxDepth {
			r.err = &SyntaxError{end - 1, "nested too deep"}
		}
	}
}

// refused says where the token that failed with err did: a Decoder's own offsets count only part of the text.
func (r *reader) refused(err error) *SyntaxError {
	at := r.tokens.InputOffset()
	var syntax *json.SyntaxError
	switch {
	case at < r.text.Offset && strings.IndexByte("tfn", r.data[at]) >= 0: // a misspelt word, known by its beginning
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return r.text
	case errors.As(json.Unmarshal(r.data, new(json.RawMessage)), &syntax):
		at = syntax.Offset - 1 // it counts the byte it fails at
	}
	return &SyntaxError{at, "unexpected character"}
}

// end returns the error of the reading, or one for anything but white space after the value.
func (r *reader) end() error {
	rest := bytes.TrimLeft(r.data[r.tokens.InputOffset():], " \t\r\n")
	if r.err != nil || len(rest) == 0 {
		return r.err
	}
	return &SyntaxError{int64(len(r.data) - len(rest)), "unexpected text after the JSON value"}
}

// bearable reports whether a number is one a double can hold, in a spelling of sensible length.
func bearable(number string) bool {
	if len(number) > maxNumber {
		return false
	}
	_, exponent, scientific := strings.Cut(strings.ToLower(number), "e")
	if n, err := strconv.Atoi(exponent); scientific && (err != nil || n < -maxExponent || n > maxExponent) {
		return false
	}
	_, err := strconv.ParseFloat(number, 64)
	return err == nil
}

// textEnd says where and why data stops being text: encoding/json would put U+FFFD for what is no character.
func textEnd(data []byte) *SyntaxError {
	for at := 0; at < len(data); {
		size, wrong := character(data[at:])
		if wrong != "" {
			return &SyntaxError{int64(at), wrong}
		}
		at += size
	}
	return &SyntaxError{int64(len(data)), "unexpected end of JSON"}
}

// character returns how many bytes the first character of text takes, escaped or not, or what is wrong with it.
func character(text []byte) (size int, wrong string) {
	r, size := utf8.DecodeRune(text)
	unit := codeUnit(text)
	switch {
	case r == utf8.RuneError && size == 1:
		return 0, "invalid UTF-8"
	case r != '\\' || len(text) == 1:
		return size, ""
	case strings.IndexByte(`"\/bfnrt`, text[1]) >= 0:
		return 2, ""
	case unit < 0:
		return 0, "unknown escape"
	case !utf16.IsSurrogate(unit):
		return 6, ""
	case utf16.DecodeRune(unit, codeUnit(text[6:])) == utf8.RuneError:
		return 0, "lone surrogate"
	}
	return 12, ""
}

// codeUnit reads a \u escape; -1 is none.
func codeUnit(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return -1
	}
	unit, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return rune(unit)
}
