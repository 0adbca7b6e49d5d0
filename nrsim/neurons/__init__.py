"""Model neurons: the current a stimulus gives them, and what they do with it (the only place that uses Brian2)."""

from nrsim.neurons.custom import CustomNeurons as CustomNeurons
from nrsim.neurons.drive import present as present
from nrsim.neurons.dynamics import LateSuppression as LateSuppression
from nrsim.neurons.models import LIF as LIF
from nrsim.neurons.models import AdaptiveLIF as AdaptiveLIF
from nrsim.neurons.models import AdEx as AdEx
from nrsim.neurons.models import ConductanceLIF as ConductanceLIF
from nrsim.neurons.models import RateUnits as RateUnits
from nrsim.neurons.models import Recurrent as Recurrent
from nrsim.neurons.moving import simulate_moving as simulate_moving
from nrsim.neurons.simulation import simulate as simulate
from nrsim.neurons.variability import Variability as Variability
