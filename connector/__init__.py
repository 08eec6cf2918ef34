"""The core: credit status inside the CRM, credit holds on orders. It knows no vendor by name."""

__version__ = "0.1.0"
