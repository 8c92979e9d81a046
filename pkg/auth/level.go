package auth

import (
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

// Require refuses identities that are not of a level. Without a master cluster in the settings the own cluster is it.
// Another cluster's word about its account counts. A look-up key is of every level: CheckRestrictions confines it.
func (a *Authenticator) Require(i *Identity, l Level) error {
	if i.LookupKey != "" {
		return nil
	}
	allowed := i.Master
	if l == LevelSuperMaster && (a.masterCluster != "" || i.Remote) {
		allowed = allowed && i.ClusterID != "" && i.ClusterID == a.masterCluster
	}
	if !allowed {
		return fault.Wrap(fault.Forbidden, fmt.Errorf("account %s is not of level %s", i.AccountID, l))
	}
	return nil
}
