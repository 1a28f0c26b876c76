//! How traffic moves: vehicles change lanes, roll, collide and leave.

use super::{
    Command, Driven, Engine, Highway, Scenario, Status, Vehicle,
    road::{NOBODY, OWN, leader_speed},
};

impl Highway {
    /// One step of everybody that drives.
    #[inline(always)]
    pub(super) fn advance(&mut self, command_of: impl Fn(&Engine, usize) -> Command) {
        self.started.clear();
        self.started.extend_from_slice(&self.traffic.order);
        self.change_lanes(command_of);
        self.roll();
        self.collide();
        self.settle();
        self.state.clock = self.state.clock.saturating_add(1);
        if self.config.scenario == Scenario::Platoon {
            let wish = leader_speed(&self.config, self.state.clock);
            for vehicle in &mut self.state.vehicles {
                vehicle.wish = wish;
            }
        }
        self.traffic.update(&self.state, &self.road);
    }

    /// Everybody decides; those who want to and may change lanes.
    #[inline(always)]
    fn change_lanes(&mut self, command_of: impl Fn(&Engine, usize) -> Command) {
        let mut changes = 0;
        for &index in &self.started {
            let Command { acceleration, turn } = command_of(&self.engine, index);
            let changes_lane = turn != 0 && self.may_change(index, turn);
            let vehicle = &mut self.state.vehicles[index];
            if changes_lane {
                vehicle.lane = vehicle.lane.saturating_add_signed(turn as isize);
                vehicle.pause = self.config.lane_change_pause;
                changes += 1;
            } else {
                vehicle.pause = vehicle.pause.saturating_sub(1);
            }
            self.driven[index] = Driven {
                wanted: acceleration,
                changed_lane: changes_lane,
                ..Driven::default()
            };
        }
        if changes > 0 {
            self.traffic.look(&self.state, &self.road);
        }
    }

    /// Speeds and ways; places are still the old ones.
    #[inline(always)]
    fn roll(&mut self) {
        for &index in &self.started {
            let (vehicle, driven) = (&mut self.state.vehicles[index], &mut self.driven[index]);
            let motion = self.engine.drive(vehicle.speed, driven.wanted);
            let before = vehicle.acceleration;
            driven.way = motion.way;
            driven.jerk = self.engine.jerk(before, motion.acceleration);
            driven.discomfort = self.engine.discomfort(before, motion.acceleration);
            vehicle.speed = motion.speed;
            vehicle.acceleration = motion.acceleration;
        }
    }

    /// Who touches the vehicle ahead, though it moves on too, or the end of the ramp.
    #[inline(always)]
    fn collide(&mut self) {
        for &index in &self.started {
            let vehicle = &self.state.vehicles[index];
            let ahead = self.traffic.around[index].ahead[OWN];
            if ahead != NOBODY {
                let distance = self
                    .road
                    .distance(vehicle.place, self.state.vehicles[ahead].place);
                let left = distance + self.driven[ahead].way - self.driven[index].way;
                if left < self.config.vehicle_length {
                    self.driven[index].hit = true;
                    self.driven[ahead].hit = true;
                }
            }
            let room = self.ramp_ahead(vehicle);
            self.driven[index].hit |= self.driven[index].way > room;
        }
    }

    /// Everybody is where its way leads; who has collided or arrived stops driving.
    #[inline(always)]
    fn settle(&mut self) {
        let road = &self.road;
        for &index in &self.started {
            let (vehicle, driven) = (&mut self.state.vehicles[index], &mut self.driven[index]);
            vehicle.place += driven.way;
            driven.passed = vehicle.place >= road.length;
            if driven.passed {
                vehicle.place = if road.ring {
                    vehicle.place % road.length
                } else {
                    road.length
                };
            }
            if driven.hit {
                driven.passed = false;
                vehicle.status = Status::Collided;
            } else if driven.passed && !road.ring {
                vehicle.status = Status::Arrived;
            }
        }
    }

    /// Room to the end of the ramp; without end on the road.
    #[inline(always)]
    pub(super) fn ramp_ahead(&self, vehicle: &Vehicle) -> f64 {
        if self.road.ring || vehicle.lane > 0 {
            return f64::INFINITY;
        }
        self.road.merge[1] - vehicle.place - 0.5 * self.config.vehicle_length
    }

    #[inline(always)]
    pub(super) fn may_change(&self, index: usize, turn: i64) -> bool {
        let vehicle = &self.state.vehicles[index];
        vehicle.pause == 0
            && self.config.scenario != Scenario::Platoon
            && self.road.may_change(vehicle, turn)
    }

    /// Room up to another vehicle ahead; negative alongside.
    #[inline(always)]
    pub(super) fn gap(&self, from: usize, to: usize) -> f64 {
        let place = |index: usize| self.state.vehicles[index].place;
        self.road.distance(place(from), place(to)) - self.config.vehicle_length
    }

    /// Whom a vehicle follows in its platoon: in a lane those of a platoon are in the order of their indices.
    #[inline(always)]
    pub(super) fn predecessor(&self, index: usize) -> Option<usize> {
        let ahead = self.traffic.around[index].ahead[OWN];
        let size = self.config.platoon_size;
        (self.config.scenario == Scenario::Platoon && ahead < index && ahead / size == index / size)
            .then_some(ahead)
    }
}
