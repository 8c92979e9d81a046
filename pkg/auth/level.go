package auth

import (
	"context"
	"fmt"

	"junctor/pkg/fault"
)

// Level is who may use a resource, in the words of the routing API. SuperMaster includes Master.
type Level string

// The levels that a resource requires.
const (
	LevelMaster      Level = "master"       // the master account of its cluster
	LevelSuperMaster Level = "super_master" // the master account of the master cluster
)

// Require refuses identities that are not of a level. Another cluster's word about its account counts.
func (a *Authenticator) Require(ctx context.Context, i *Identity, l Level) error {
	if i == nil {
		return refuse(fmt.Errorf("level %s without an identity", l))
	}
	allowed := i.Master
	if allowed && l == LevelSuperMaster {
		var err error
		if allowed, err = a.ofMasterCluster(ctx, i); err != nil {
			return err
		}
	}
	if !allowed {
		return fault.Wrap(fault.Forbidden, fmt.Errorf("account %s is not of level %s", i.AccountID, l))
	}
	return nil
}

// ofMasterCluster reports whether the cluster of an identity is the master cluster.
func (a *Authenticator) ofMasterCluster(ctx context.Context, i *Identity) (bool, error) {
	cluster := i.ClusterID
	if !i.Remote {
		if a.masterCluster == "" {
			return true, nil
		}
		own, err := a.config(a.documents).ClusterID(ctx)
		if err != nil {
			return false, err
		}
		cluster = own
	}
	return cluster != "" && cluster == a.masterCluster, nil
}
