package projection

// Waiting returns how many accounts have copies to write.
func (p *Projector) Waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.accounts)
}

// MostObserved bounds the changes that wait.
const MostObserved = mostObserved

// PassRequested reports whether a full pass was requested since the last call.
func (p *Projector) PassRequested() bool {
	select {
	case <-p.passRequested:
		return true
	default:
		return false
	}
}
