"""The page behind an alert's link: one case on a phone, in Chinese, without scripts from anywhere."""

from functions.page.view import HEADERS, Form, refused, show

__all__ = ["HEADERS", "Form", "refused", "show"]
