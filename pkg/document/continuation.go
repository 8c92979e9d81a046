package document

import "bytes"

// BlankContinuations returns data with a space for every backslash that is outside a JSON string and before white space.
// That is how a shell command continues on the next line, and the bodies in Kazoo's documentation are printed that way.
// Offsets stay the same. If there is no such backslash, it returns data itself.
func BlankContinuations(data []byte) []byte {
	if bytes.IndexByte(data, '\\') < 0 {
		return data
	}
	blanked, inString := data, false
	for i := 0; i < len(data); i++ {
		switch {
		case data[i] == '"':
			inString = !inString
		case data[i] != '\\':
		case inString:
			i++ // an escaped quote does not end the string
		case i+1 < len(data) && isSpace(data[i+1]):
			blanked = blank(blanked, data, i)
		}
	}
	return blanked
}

// blank returns text with a space at i. It does not change original, of which text may be a copy already.
func blank(text, original []byte, i int) []byte {
	if &text[0] == &original[0] {
		text = bytes.Clone(original)
	}
	text[i] = ' '
	return text
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }
