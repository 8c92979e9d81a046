package api

import (
	"context"
	"sync"
	"time"

	"junctor/pkg/account"
)

// ownClusterTime is how long the id of our own cluster is remembered. It hardly ever changes: somebody would have to
// exchange the store of a running server.
const ownClusterTime = time.Second

// ownCluster is the id of our own cluster, which every request about routing needs.
type ownCluster struct {
	mu   sync.Mutex
	id   string
	read time.Time
}

// get answers the id, "" where there is none yet.
func (o *ownCluster) get(ctx context.Context, from *account.Directory) (string, error) {
	o.mu.Lock()
	id, age := o.id, time.Since(o.read)
	o.mu.Unlock()
	if id != "" && age < ownClusterTime {
		return id, nil
	}
	began := time.Now()
	id, err := from.ClusterID(ctx)
	if err != nil {
		return "", err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.id, o.read = id, began
	return id, nil
}
