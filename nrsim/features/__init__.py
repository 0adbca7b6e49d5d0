"""Features: V1 responses become one vector a stimulus."""

from nrsim.features.components import PrincipalComponents as PrincipalComponents
from nrsim.features.fisher import FisherMetric as FisherMetric
from nrsim.features.landmarks import landmark_features as landmark_features
from nrsim.features.pooling import PooledEnergy as PooledEnergy
