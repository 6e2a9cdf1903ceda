"""The demo: sixty days of two models with incidents planted in them, and a stack on loopback that finds them."""
