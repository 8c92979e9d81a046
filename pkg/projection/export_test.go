package projection

// Waiting returns how many accounts have copies to write.
func (p *Projector) Waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.accounts)
}
