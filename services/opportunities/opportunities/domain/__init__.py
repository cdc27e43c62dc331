"""What an opportunity is and which moves it may make: plain values in, plain values out."""
