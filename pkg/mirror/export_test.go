package mirror

// Pending returns how many writes of this process the feed has not delivered yet.
func (m *Mirror) Pending() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.ahead)
}
