"""What a lead is and what may happen to it: plain frozen values in, plain frozen values out."""
