//! How a vehicle is driven along its way: what an action asks for, what the vehicle then does, and a careful driver.
//!
//! Car following is the intelligent driver model of Treiber, Hennecke and Helbing, "Congested traffic states in
//! empirical observations and microscopic simulations" (2000).

/// How vehicles are controlled.
#[palaestra_plugin_api::config]
pub enum Control {
    /// By one of a few manoeuvres.
    Discrete,
    /// By real numbers.
    Continuous,
}

/// Choices of pace; a world may have others after these.
pub(crate) const KEEP: usize = 0;
pub(crate) const FASTER: usize = 1;
pub(crate) const SLOWER: usize = 2;
pub(crate) const BRAKE: usize = 3;
/// Number of choices of pace.
pub(crate) const PACES: usize = 4;

/// Above this exponent of the speed's part the wish for more fades; the model's usual value.
const EXPONENT: i32 = 4;

/// What vehicles can do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Engine {
    /// Length of a step [s].
    pub(crate) time_step: f64,
    /// Largest acceleration [m/s²].
    pub(crate) acceleration: f64,
    /// Comfortable deceleration [m/s²].
    pub(crate) deceleration: f64,
    /// Largest deceleration [m/s²].
    pub(crate) max_deceleration: f64,
    /// Largest speed [m/s].
    pub(crate) max_speed: f64,
}

/// What a vehicle does in a step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Motion {
    /// Way [m].
    pub(crate) way: f64,
    /// Speed at the end [m/s].
    pub(crate) speed: f64,
    /// Acceleration that came of it [m/s²].
    pub(crate) acceleration: f64,
}

/// Whom a careful driver follows: room up to it [m] and its speed [m/s].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leader {
    pub(crate) gap: f64,
    pub(crate) speed: f64,
}

/// What a careful driver wants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    /// Speed [m/s].
    pub(crate) speed: f64,
    /// Time to the vehicle ahead [s].
    pub(crate) headway: f64,
    /// Room up to the vehicle ahead when standing [m].
    pub(crate) min_gap: f64,
}

impl Engine {
    /// Acceleration that a choice of pace asks for.
    #[inline(always)]
    pub(crate) fn pace(&self, choice: usize) -> f64 {
        match choice {
            FASTER => self.acceleration,
            SLOWER => -self.deceleration,
            BRAKE => -self.max_deceleration,
            _ => 0.0,
        }
    }

    /// Acceleration that a real action asks for: -1 is the largest deceleration, 1 the largest acceleration.
    #[inline(always)]
    pub(crate) fn pedal(&self, action: f64) -> f64 {
        let action = action.clamp(-1.0, 1.0);
        action
            * if action > 0.0 {
                self.acceleration
            } else {
                self.max_deceleration
            }
    }

    /// What comes of a wanted acceleration: no vehicle drives backwards or faster than the largest speed.
    #[inline(always)]
    pub(crate) fn drive(&self, speed: f64, wanted: f64) -> Motion {
        let next = (speed + wanted * self.time_step).clamp(0.0, self.max_speed);
        Motion {
            way: 0.5 * (speed + next) * self.time_step,
            speed: next,
            acceleration: (next - speed) / self.time_step,
        }
    }

    /// Change of the acceleration over time [m/s³].
    #[inline(always)]
    pub(crate) fn jerk(&self, before: f64, after: f64) -> f64 {
        (after - before).abs() / self.time_step
    }

    /// Square of the change of the acceleration as a part of the largest possible: 0 to 1.
    #[inline(always)]
    pub(crate) fn discomfort(&self, before: f64, after: f64) -> f64 {
        let part = (after - before) / (self.acceleration + self.max_deceleration);
        (part * part).min(1.0)
    }

    /// Way that a vehicle needs to stop at a deceleration.
    pub(crate) fn stopping_distance(speed: f64, deceleration: f64) -> f64 {
        0.5 * speed * speed / deceleration
    }

    /// Acceleration of the intelligent driver model.
    pub(crate) fn careful(&self, speed: f64, wish: Wish, leader: Option<Leader>) -> f64 {
        let free = self.acceleration * (1.0 - (speed / wish.speed.max(0.1)).powi(EXPONENT));
        let Some(Leader { gap, speed: ahead }) = leader else {
            return free.max(-self.deceleration);
        };
        let braking = (self.acceleration * self.deceleration).sqrt();
        let closing = speed * (speed - ahead) / (2.0 * braking);
        let wanted = wish.min_gap + (speed * wish.headway + closing).max(0.0);
        let tight = wanted / gap.max(0.1);
        (free - self.acceleration * tight * tight).max(-self.max_deceleration)
    }

    /// The choice of pace nearest to a wanted acceleration, rather too slow than too fast.
    pub(crate) fn choice(&self, wanted: f64) -> usize {
        if wanted > 0.5 * self.acceleration {
            FASTER
        } else if wanted > -0.3 * self.deceleration {
            KEEP
        } else if wanted > -1.2 * self.deceleration {
            SLOWER
        } else {
            BRAKE
        }
    }

    /// The real action that asks for an acceleration; the inverse of [`pedal`](Self::pedal).
    pub(crate) fn action(&self, wanted: f64) -> f64 {
        let largest = if wanted > 0.0 {
            self.acceleration
        } else {
            self.max_deceleration
        };
        (wanted / largest).clamp(-1.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENGINE: Engine = Engine {
        time_step: 0.5,
        acceleration: 2.0,
        deceleration: 3.0,
        max_deceleration: 8.0,
        max_speed: 20.0,
    };
    const WISH: Wish = Wish {
        speed: 15.0,
        headway: 1.5,
        min_gap: 2.0,
    };

    /// From 10 m/s half a second at 2 m/s²: 11 m/s after 5.25 m. From 1 m/s braking ends at 0.
    #[test]
    fn vehicles_stop_and_keep_to_the_largest_speed() {
        let motion = ENGINE.drive(10.0, ENGINE.pace(FASTER));
        assert_eq!(
            (motion.way, motion.speed, motion.acceleration),
            (5.25, 11.0, 2.0)
        );
        let motion = ENGINE.drive(1.0, ENGINE.pace(BRAKE));
        assert_eq!(
            (motion.way, motion.speed, motion.acceleration),
            (0.25, 0.0, -2.0)
        );
        assert_eq!(ENGINE.drive(20.0, 2.0).acceleration, 0.0);
        assert_eq!(ENGINE.jerk(1.0, -2.0), 6.0);
        assert_eq!(ENGINE.discomfort(2.0, -8.0), 1.0);
    }

    #[test]
    fn pedals_and_accelerations_are_inverse() {
        for action in [-1.0, -0.25, 0.0, 0.5, 1.0] {
            assert_eq!(ENGINE.action(ENGINE.pedal(action)), action);
        }
        assert_eq!(ENGINE.pedal(-3.0), -8.0);
    }

    /// The model's equation by hand: at 10 m/s behind an equally fast vehicle, s* = 2 + 15.
    #[test]
    fn careful_drivers_follow_the_model() {
        let free = 2.0 * (1.0 - (10.0f64 / 15.0).powi(4));
        assert!((ENGINE.careful(10.0, WISH, None) - free).abs() < 1e-12);
        let leader = |gap, speed| Some(Leader { gap, speed });
        let found = ENGINE.careful(10.0, WISH, leader(34.0, 10.0));
        assert!((found - (free - 0.5)).abs() < 1e-12, "{found}");
        assert_eq!(ENGINE.careful(10.0, WISH, leader(3.0, 0.0)), -8.0);
        assert_eq!(ENGINE.careful(0.0, WISH, leader(2.0, 0.0)), 0.0);
    }
}
