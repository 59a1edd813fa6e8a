"""Commands that train and measure models. They need the extra `train`, which no service needs."""
