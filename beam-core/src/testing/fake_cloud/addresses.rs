//! Fixed addresses, and where their traffic goes.

use super::agenda::Change;
use super::not_found;
use super::views::Owned;
use super::world::{World, ip};
use crate::cloud_provider::{Address, AddressId, CloudError, FleetTag, InstanceId, Token};

impl World {
    pub(super) fn address(&mut self, id: &AddressId) -> Result<&mut Address, CloudError> {
        self.things.addresses.get_mut(id).map(|owned| &mut owned.thing).ok_or_else(|| not_found(id))
    }

    pub(super) fn addresses_left(&mut self) -> Result<u32, CloudError> {
        self.read()?;
        let left = self.quotas.addresses.saturating_sub(self.things.addresses.len());
        Ok(u32::try_from(left).unwrap_or(u32::MAX))
    }

    pub(super) fn allocate_address(
        &mut self,
        fleet: &FleetTag,
        token: &Token,
    ) -> Result<AddressId, CloudError> {
        // The cloud keeps no tokens of addresses: whoever asks looks for the tag, in a list.
        self.read()?;
        let made = self.shown().addresses.values().find(|owned| owned.thing.token.as_ref() == Some(token));
        if let Some(made) = made {
            return Ok(made.thing.id.clone());
        }
        self.write()?;
        if self.things.addresses.len() >= self.quotas.addresses {
            return Err(CloudError::Quota("addresses".to_owned()));
        }
        let number = self.next();
        let id = AddressId::new(format!("eipalloc-{number:017x}"));
        let thing =
            Address { id: id.clone(), token: Some(token.clone()), address: ip(203, number), attached: None };
        self.things.addresses.insert(id.clone(), Owned { fleet: fleet.clone(), thing });
        Ok(id)
    }

    pub(super) fn move_address(&mut self, id: &AddressId, to: &InstanceId) -> Result<(), CloudError> {
        self.read()?;
        match &self.address(id)?.attached {
            Some(instance) if instance == to => return Ok(()),
            Some(instance) => return Err(CloudError::InUse(format!("{id} is attached to {instance}"))),
            None => {}
        }
        self.write()?;
        self.takes_things(to)?;
        self.calls.moves_billed = self.calls.moves_billed.saturating_add(1);
        self.addresses_come_off(to);
        let address = self.address(id)?;
        address.attached = Some(to.clone());
        let public = address.address;
        self.instance(to)?.public_address = Some(public);
        self.later(self.delays.data_path, Change::Follows(id.clone()));
        Ok(())
    }

    pub(super) fn detach_address(&mut self, id: &AddressId) -> Result<(), CloudError> {
        self.write()?;
        if let Some(instance) = self.address(id)?.attached.take() {
            if let Ok(instance) = self.instance(&instance) {
                instance.public_address = None;
            }
            self.pass_address(&instance);
            self.later(self.delays.data_path, Change::Follows(id.clone()));
        }
        Ok(())
    }

    pub(super) fn release_address(&mut self, id: &AddressId) -> Result<(), CloudError> {
        self.write()?;
        if let Some(instance) = &self.address(id)?.attached {
            return Err(CloudError::InUse(format!("{id} is attached to {instance}")));
        }
        self.things.addresses.remove(id);
        self.paths.remove(id);
        Ok(())
    }

    /// Takes every address from a machine. They stay allocated.
    pub(super) fn addresses_come_off(&mut self, instance: &InstanceId) {
        let mut off = Vec::new();
        for Owned { thing, .. } in self.things.addresses.values_mut() {
            if thing.attached.as_ref() == Some(instance) {
                thing.attached = None;
                off.push(thing.id.clone());
            }
        }
        for id in off {
            self.later(self.delays.data_path, Change::Follows(id));
        }
    }

    pub(super) fn follows(&mut self, id: &AddressId) {
        match self.address(id).ok().and_then(|address| address.attached.clone()) {
            Some(instance) => self.paths.insert(id.clone(), instance),
            None => self.paths.remove(id),
        };
    }
}
