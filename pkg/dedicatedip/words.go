package dedicatedip

// words are texts that many rows have in common: zones, hosts, statuses and holders. Each is kept once, as long as
// some row has it.
type words struct {
	numbers map[string]word
	texts   []string
	uses    []int
	idle    []word // numbers without a text
}

// word is the number of a text.
type word uint32

func newWords() words { return words{numbers: map[string]word{}} }

func (w *words) text(n word) string { return w.texts[n] }

// take answers the number of a text for one row more.
func (w *words) take(text string) word {
	n, known := w.numbers[text]
	if !known {
		n = w.room()
		w.numbers[text], w.texts[n] = n, text
	}
	w.uses[n]++
	return n
}

func (w *words) room() (n word) {
	if last := len(w.idle) - 1; last >= 0 {
		n, w.idle = w.idle[last], w.idle[:last]
		return n
	}
	w.texts, w.uses = append(w.texts, ""), append(w.uses, 0)
	return word(len(w.texts) - 1)
}

// drop takes note that one row less has a text.
func (w *words) drop(n word) {
	if w.uses[n]--; w.uses[n] == 0 {
		delete(w.numbers, w.texts[n])
		w.texts[n] = ""
		w.idle = append(w.idle, n)
	}
}
