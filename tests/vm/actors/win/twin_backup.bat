@echo off
if not exist C:\sluice-guest exit /b 77
mkdir C:\users\root\Documents\backup
copy C:\users\root\Documents\*.txt C:\users\root\Documents\backup
