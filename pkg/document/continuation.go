package document

import "bytes"

// BlankContinuations answers data with every backslash that stands outside a JSON string and before white space
// made a space. So ends a line of a shell command that goes on in the next, and the bodies in Kazoo's
// documentation are printed that way. Offsets stay true, and data itself is answered where there is none.
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
			i++ // whatever is escaped ends no string
		case i+1 < len(data) && isSpace(data[i+1]):
			blanked = blank(blanked, data, i)
		}
	}
	return blanked
}

// blank puts a space at i, in a copy of original.
func blank(text, original []byte, i int) []byte {
	if &text[0] == &original[0] {
		text = bytes.Clone(original)
	}
	text[i] = ' '
	return text
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }
